"""Typed messages to a user's sockets, sent on commit.

A message only says "look again": delivery is at most once, the socket re-reads the row, and a client ignores versions
that are not newer than what it shows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from orchestra.common.publishing import publish_on_commit, user_group


@dataclass(frozen=True, slots=True)
class FileChanged:
    """A file has a new version."""

    file_id: str
    version: int
    type: str = "file.changed"


@dataclass(frozen=True, slots=True)
class FileDeleted:
    """A file is gone."""

    file_id: str
    type: str = "file.deleted"


def publish_change(owner_id: UUID, file_id: UUID, version: int) -> None:
    """Tell the owner's sockets, once the present transaction is committed."""
    publish_on_commit(user_group(owner_id), asdict(FileChanged(str(file_id), version)))


def publish_deletion(owner_id: UUID, file_id: UUID) -> None:
    """Tell the owner's sockets, once the present transaction is committed."""
    publish_on_commit(user_group(owner_id), asdict(FileDeleted(str(file_id))))
