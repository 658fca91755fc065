"""What the sockets of a user are told: read from the database once per process, and sent to all of them.

Before it: messages of `files.events`, which say "look again". After it: `files.consumers`, one for each socket. Sockets
that read for themselves would ask the database as many times for each change as the user has pages open.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import connection
from django.utils import timezone

from files.api.serializers import files_as_json
from files.models import FileRecord, FileStatus
from files.selectors import counts_by_status, files_of, with_status
from orchestra.accounts.credentials import Credential, still_good
from orchestra.accounts.models import User
from orchestra.common.publishing import user_group

logger = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
COALESCE_SECONDS = 0.1
SNAPSHOT_FILES = 200
MOVING_FILES = 50
NOT_SIGNED_IN = 4401
BROKEN = 1011

_OVERLAP = timedelta(seconds=2)
_ACTIVE = (FileStatus.UPLOADING, FileStatus.QUEUED, FileStatus.PROCESSING)


class Listener(Protocol):
    """A socket, and what was shown to open it. Neither call waits for its client."""

    shown: Credential

    def tell(self, text: str) -> None:
        """Send a message."""

    def dismiss(self, code: int) -> None:
        """Close."""


class Feed:
    """Tells one user's sockets of this process, while there are any.

    Messages: ``files`` {files, counts}, ``deleted`` {id}, ``heartbeat`` {at}. The heartbeat also re-reads what changed
    and what is under way, so that a message lost in Redis costs seconds and not the truth.
    """

    def __init__(self, user: User) -> None:
        self._user = user
        self._listeners: set[Listener] = set()
        self._changed: set[str] = set()
        self._flush: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._begun: asyncio.Task[None] | None = None

    async def join(self, listener: Listener) -> None:
        """Tell a socket from now on; returns when no change can be missed any more."""
        self._listeners.add(listener)
        if self._begun is None:
            self._begun = asyncio.create_task(self._begin())
        joined = False
        try:
            await asyncio.shield(self._begun)
            joined = True
        finally:
            if not joined:
                await self.leave(listener)

    async def leave(self, listener: Listener) -> None:
        """Tell a socket no more; the last one ends the feed."""
        self._listeners.discard(listener)
        if self._listeners:
            return
        feeds = _feeds_here()
        if feeds.get(self._user.pk) is self:
            del feeds[self._user.pk]
        for task in (self._flush, *self._tasks):
            if task is not None:
                task.cancel()
        if self._begun is not None:
            await asyncio.wait([self._begun])
            if self._begun.exception() is None:  # otherwise those who waited for it were told
                await self._layer.group_discard(user_group(self._user.pk), self._channel)

    async def _begin(self) -> None:
        self._layer: Any = get_channel_layer()
        self._channel: str = await self._layer.new_channel()
        await self._layer.group_add(user_group(self._user.pk), self._channel)
        self._seen: datetime = await _now()
        self._tasks = [asyncio.create_task(self._or_dismiss(timer)) for timer in (self._hear(), self._heartbeat())]

    async def _hear(self) -> None:
        """Note what changed; several changes within a tenth of a second become one message."""
        while True:
            event = await self._layer.receive(self._channel)
            file_id = event["file_id"]
            if event["type"] == "file.deleted":
                self._changed.discard(file_id)
                self._tell({"type": "deleted", "id": file_id})
                continue
            self._changed.add(file_id)
            if self._flush is None or self._flush.done():
                self._flush = asyncio.create_task(self._or_dismiss(self._tell_changed()))

    async def _tell_changed(self) -> None:
        # Looks again after each message: a change may come while the one before is being read and sent.
        while self._changed:
            await asyncio.sleep(COALESCE_SECONDS)
            ids, self._changed = self._changed, set()
            await self._tell_files([UUID(value) for value in ids])

    async def _tell_files(self, ids: list[UUID]) -> None:
        """Send the present state of files, in as many messages as it takes."""
        for start in range(0, len(ids), SNAPSHOT_FILES):
            self._tell(await _files(self._user, ids[start : start + SNAPSHOT_FILES]))

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self._dismiss_the_ended()
            ids, self._seen = await _to_tell(self._user, self._seen)
            await self._tell_files(ids)
            self._tell({"type": "heartbeat", "at": timezone.now()})

    def _tell(self, message: dict[str, Any]) -> None:
        text = as_text(message)
        for listener in tuple(self._listeners):
            listener.tell(text)

    async def _dismiss_the_ended(self) -> None:
        """Close those that would not be let in any more: the last one that leaves ends this feed."""
        listeners = tuple(self._listeners)
        good = await _still_good({listener.shown for listener in listeners})
        for listener in listeners:
            if listener.shown not in good:
                listener.dismiss(NOT_SIGNED_IN)

    def _dismiss(self, code: int) -> None:
        for listener in tuple(self._listeners):
            listener.dismiss(code)

    async def _or_dismiss(self, timer: Coroutine[Any, Any, None]) -> None:
        """Run a timer; when it breaks, close rather than fall silent: clients open new sockets or poll."""
        try:
            await timer
        except Exception as exc:  # noqa: BLE001  # sockets end here
            logger.warning("sockets closed: their feed could not read or send", error=repr(exc))
            self._dismiss(BROKEN)


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, Feed]] = WeakKeyDictionary()


def _feeds_here() -> dict[UUID, Feed]:
    return _feeds.setdefault(asyncio.get_running_loop(), {})


def feed_of(user: User) -> Feed:
    """Return this process's feed of a user, for sockets to join."""
    return _feeds_here().setdefault(user.pk, Feed(user))


def as_text(message: dict[str, Any]) -> str:
    """Return a message as sockets send it."""
    return json.dumps(message, default=str)


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def snapshot_of(user: User) -> dict[str, Any]:
    """Return the message with which a socket begins: what is under way, and what changed last."""
    files = files_of(user)
    active = list(files.filter(status__in=_ACTIVE)[:SNAPSHOT_FILES])
    recent = files.exclude(status__in=_ACTIVE).order_by("-updated_at")[: SNAPSHOT_FILES - len(active)]
    return _message(user, "snapshot", [*active, *recent])


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _files(user: User, ids: list[UUID]) -> dict[str, Any]:
    return _message(user, "files", list(files_of(user).filter(pk__in=ids)))


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _to_tell(user: User, seen: datetime) -> tuple[list[UUID], datetime]:
    """Return what changed since the last time, by the database's clock, and what waits or is being read; and the time.

    Of the latter the place in the queue, the worker's silence and the estimate change without a new version.
    """
    now = _database_now()
    files = files_of(user)
    changed = list(files.filter(updated_at__gte=seen - _OVERLAP).values_list("pk", flat=True))
    moving = files.filter(status__in=(FileStatus.QUEUED, FileStatus.PROCESSING)).order_by("created_at")
    return list(dict.fromkeys([*changed, *moving.values_list("pk", flat=True)[:MOVING_FILES]])), now


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _still_good(shown: set[Credential]) -> set[Credential]:
    return still_good(shown)


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _now() -> datetime:
    return _database_now()


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _message(user: User, kind: str, files: list[FileRecord]) -> dict[str, Any]:
    return {"type": kind, "files": files_as_json(with_status(files)), "counts": counts_by_status(user)}
