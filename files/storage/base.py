"""What every storage of bytes promises.

A file's bytes come in pieces at offsets, are durable when `write` returns, and lie under a key that no user chooses
once the whole was verified. Every call may be repeated after a crash.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from files.models import Upload
from orchestra.monitoring.checks import Outcome


def key_of(file_id: UUID) -> str:
    """Return the storage key of a finished file: its id, spread over 256 folders."""
    return f"files/{file_id.hex[-2:]}/{file_id}"


@dataclass(frozen=True, slots=True)
class Whole:
    """All bytes of an upload, readable on this machine; `sha256` in hex is that of what `path` holds."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that a storage holds for a file, finished or under way, and how to be rid of them.

    `orphaned`: whether or not there is such a file, these are not its bytes.
    """

    file_id: UUID
    remove: Callable[[], None]
    orphaned: bool = False


class FileStorage(ABC):
    """Holds the bytes of uploads under way and of finished files.

    What is wrong with the storage itself is a StorageError; DiskFull says that there is no room.
    """

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Return the bytes that there is room for, None where nobody can say."""

    @abstractmethod
    def write(self, upload: Upload, offset: int, source: BinaryIO, count: int) -> None:
        """Copy `count` bytes from the start of `source` to `offset` of an upload; durable on return.

        In the caller's transaction, which holds the upload's row. Bytes of a write that raised, or whose transaction
        was rolled back, count for nothing and may be written again.
        """

    @abstractmethod
    def whole(self, upload: Upload) -> AbstractContextManager[Whole]:
        """Give the whole of an upload whose every byte was written, to verify and to look at.

        Also after `keep`, when the transaction around it was rolled back.
        """

    def digest_of_part(self, upload: Upload, offset: int, count: int) -> str | None:
        """Return the SHA-256 in hex of what is stored of an upload there, None where that cannot be looked at."""
        return None

    @abstractmethod
    def keep(self, upload: Upload, key: str) -> None:
        """Let the whole of an upload lie under `key`, durably."""

    @abstractmethod
    def discard(self, upload: Upload) -> None:
        """Delete what was written of an upload, in the caller's transaction; it may be written anew."""

    @abstractmethod
    def forget(self, file_id: UUID) -> None:
        """Delete every byte of a file, finished or under way. Its rows may be gone already."""

    @abstractmethod
    def size_of(self, key: str) -> int | None:
        """Return the size of the finished file under `key`, None where there is none."""

    @abstractmethod
    def read(self, key: str, start: int, count: int) -> Iterator[bytes]:
        """Yield `count` bytes of a finished file from `start`, piece by piece; memory does not grow with the file.

        Nothing is opened before the first piece is asked for; that may raise BytesMissing.
        """

    @abstractmethod
    def local(self, key: str, sha256: str = "") -> AbstractContextManager[Path]:
        """Give a finished file as a path of this machine, for as long as the block lasts.

        Raises BytesMissing, or BytesDamaged where bytes had to be fetched and have not the digest `sha256`.
        """

    @abstractmethod
    def put(self, key: str, source: Path) -> None:
        """Store a copy of `source` under `key`, durably and whole or not at all."""

    @abstractmethod
    def stored_before(self, moment: float) -> Iterator[Stored]:
        """Yield what was last written before `moment` (seconds of the epoch), finished or under way."""

    @abstractmethod
    def check(self) -> Outcome:
        """Write, read and remove a probe, and say in a sentence how it went."""
