"""The one way a file's status changes: a table of allowed moves, compare-and-swap, event row, message on commit.

What webhooks are told is written in the same statement as the event row (`files.webhooks.outbox`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from files.errors import FileNotFound, InvalidMove
from files.events import publish_change
from files.models import FileEvent, FileRecord, FileStatus, WebhookEvent
from files.webhooks import outbox

_S = FileStatus

ALLOWED: dict[FileStatus, frozenset[FileStatus]] = {
    _S.UPLOADING: frozenset({_S.QUEUED}),
    _S.QUEUED: frozenset({_S.PROCESSING, _S.FAILED, _S.CANCELLED}),
    _S.PROCESSING: frozenset({_S.READY, _S.PARTIAL, _S.FAILED, _S.CANCELLED, _S.QUEUED}),
    _S.READY: frozenset({_S.QUEUED}),
    _S.PARTIAL: frozenset({_S.QUEUED}),
    _S.FAILED: frozenset({_S.QUEUED}),
    _S.CANCELLED: frozenset({_S.QUEUED}),
}

SEARCHABLE = frozenset({_S.READY, _S.PARTIAL})
TERMINAL = frozenset({_S.READY, _S.PARTIAL, _S.FAILED, _S.CANCELLED})

TOLD: dict[str, WebhookEvent] = {
    _S.READY: WebhookEvent.READY,
    _S.PARTIAL: WebhookEvent.PARTIAL,
    _S.FAILED: WebhookEvent.FAILED,
}
"""The statuses that webhooks are told of."""


def sources_of(target: FileStatus) -> list[FileStatus]:
    """Return the statuses from which `target` may be reached."""
    return [source for source, targets in ALLOWED.items() if target in targets]


def move(file_id: UUID, target: FileStatus, code: str, message: str, **changes: Any) -> FileRecord:
    """Change a file's status, record the event and announce it on commit.

    `changes` are further fields to set in the same write. Raises InvalidMove when the present status does not allow it,
    FileNotFound when the file is gone.
    """
    with transaction.atomic():
        moved = FileRecord.objects.filter(pk=file_id, status__in=sources_of(target)).update(
            status=target, version=F("version") + 1, updated_at=Now(), **changes
        )
        file = FileRecord.objects.filter(pk=file_id).first()
        if file is None:
            raise FileNotFound
        if not moved:
            raise InvalidMove(f"A file that is {file.status} cannot become {target}.", status=file.status)
        record_event(file, code, message, webhook_event=TOLD.get(target))
    return file


def touch(file_id: UUID) -> None:
    """Announce that something visible about a file changed, other than its status: progress, name, tags."""
    with transaction.atomic():
        if FileRecord.objects.filter(pk=file_id).update(version=F("version") + 1, updated_at=Now()):
            publish_change(*FileRecord.objects.values_list("owner_id", "pk", "version").get(pk=file_id))


def record_event(
    file: FileRecord, code: str, message: str, *, webhook_event: WebhookEvent | None = None, **details: object
) -> None:
    """Append to the file's history and announce the change on commit, to webhooks too where they know such an event."""
    event = FileEvent(file=file, version=file.version, status=file.status, code=code, message=message, details=details)
    if webhook_event is None:
        event.save()
    else:
        outbox.save_and_tell(event, webhook_event, file.owner_id)
    publish_change(file.owner_id, file.pk, file.version)
