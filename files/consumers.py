"""The status socket: a snapshot, then changes, then a heartbeat. What it says is always read from the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.utils import timezone

from files.api.serializers import files_as_json
from files.models import FileRecord, FileStatus
from files.selectors import counts_by_status, files_of, with_status
from orchestra.accounts.models import User
from orchestra.common.publishing import user_group

logger = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
COALESCE_SECONDS = 0.1
SNAPSHOT_FILES = 200
NOT_SIGNED_IN = 4401
BROKEN = 1011

MOVING_FILES = 50
_OVERLAP = timedelta(seconds=2)

_ACTIVE = (FileStatus.UPLOADING, FileStatus.QUEUED, FileStatus.PROCESSING)


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message, default=str)


class StatusConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """Tells one browser or program about its user's files.

    Server messages: ``snapshot`` {files, counts}, ``files`` {files, counts}, ``deleted`` {id}, ``heartbeat`` {at}. Each
    file carries its `version`; a client ignores versions older than what it shows. The heartbeat also re-reads what
    changed and what is under way, so that a message lost in Redis costs seconds and not the truth.
    """

    user: User
    _changed: set[str]
    _flush: asyncio.Task[None] | None
    _beat: asyncio.Task[None] | None
    _seen: datetime

    async def connect(self) -> None:
        """Accept a signed-in user; close with 4401 otherwise."""
        self._changed, self._flush, self._beat = set(), None, None
        user: User | AnonymousUser = self.scope["user"]
        await self.accept()
        if not isinstance(user, User):
            await self.close(code=NOT_SIGNED_IN)
            return
        self.user = user
        # Group first, snapshot second: a change in between is sent twice rather than never.
        await self.channel_layer.group_add(user_group(user.pk), self.channel_name)
        await self.send(_json(await self._snapshot()))
        self._beat = asyncio.create_task(self._or_close(self._heartbeat()))

    async def disconnect(self, code: int) -> None:
        """Leave the group and stop the timers."""
        for task in (self._flush, self._beat):
            if task is not None:
                task.cancel()
        if hasattr(self, "user"):
            await self.channel_layer.group_discard(user_group(self.user.pk), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore what clients say: this socket only tells."""

    async def file_changed(self, event: dict[str, Any]) -> None:
        """Note a changed file; several within a tenth of a second become one message."""
        self._changed.add(event["file_id"])
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._or_close(self._send_changed()))

    async def file_deleted(self, event: dict[str, Any]) -> None:
        """Tell that a file is gone."""
        self._changed.discard(event["file_id"])
        await self.send(_json({"type": "deleted", "id": event["file_id"]}))

    async def _send_changed(self) -> None:
        # Looks again after each message: a change may come while the one before is being read and sent.
        while self._changed:
            await asyncio.sleep(COALESCE_SECONDS)
            ids, self._changed = self._changed, set()
            await self._tell([UUID(value) for value in ids])

    async def _tell(self, ids: list[UUID]) -> None:
        """Send the present state of files, in as many messages as it takes."""
        for start in range(0, len(ids), SNAPSHOT_FILES):
            await self.send(_json(await self._files(ids[start : start + SNAPSHOT_FILES])))

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if not await self._still_welcome():
                await self.close(code=NOT_SIGNED_IN)
                return
            await self._tell(await self._to_tell())
            await self.send(_json({"type": "heartbeat", "at": timezone.now()}))

    async def _or_close(self, timer: Coroutine[Any, Any, None]) -> None:
        """Run a timer; when it breaks, close rather than fall silent: the client opens a new socket or polls."""
        try:
            await timer
        except Exception as exc:  # noqa: BLE001  # a socket ends here
            logger.warning("socket closed: it could not read or send", error=repr(exc))
            with suppress(RuntimeError):  # it was closed meanwhile
                await self.close(code=BROKEN)

    @database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
    def _snapshot(self) -> dict[str, Any]:
        self._seen = _database_now()
        files = files_of(self.user)
        active = list(files.filter(status__in=_ACTIVE)[:SNAPSHOT_FILES])
        recent = files.exclude(status__in=_ACTIVE).order_by("-updated_at")[: SNAPSHOT_FILES - len(active)]
        return self._message("snapshot", [*active, *recent])

    @database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
    def _files(self, ids: list[UUID]) -> dict[str, Any]:
        return self._message("files", list(files_of(self.user).filter(pk__in=ids)))

    @database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
    def _to_tell(self) -> list[UUID]:
        """Return what changed since the last time, by the database's clock, and what waits or is being read.

        Of the latter the place in the queue, the worker's silence and the estimate change without a new version.
        """
        now = _database_now()
        since, self._seen = self._seen - _OVERLAP, now
        files = files_of(self.user)
        changed = list(files.filter(updated_at__gte=since).values_list("pk", flat=True))
        moving = files.filter(status__in=(FileStatus.QUEUED, FileStatus.PROCESSING)).order_by("created_at")
        return list(dict.fromkeys([*changed, *moving.values_list("pk", flat=True)[:MOVING_FILES]]))

    def _message(self, kind: str, files: list[FileRecord]) -> dict[str, Any]:
        data = files_as_json(with_status(files))
        return {"type": kind, "files": data, "counts": counts_by_status(self.user)}

    @database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
    def _still_welcome(self) -> bool:
        return User.objects.filter(pk=self.user.pk, is_active=True).exists()
