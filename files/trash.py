"""The trash: files that nobody finds any more and that may still come back, and how they go for good.

A file in the trash keeps its row, its status and its bytes, and each stage of the pipeline puts its results where
nobody finds them (`Stage.hide`). Coming back therefore reads and embeds nothing. What is in the trash counts against
the owner's quota, because its bytes are still here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from files import jobs, states
from files.errors import FileNotFound
from files.events import publish_deletion
from files.models import FileRecord, FileStatus, ProcessingJob, Upload, WebhookEvent
from files.pipeline import stages
from files.selectors import trash_of
from files.webhooks import outbox
from orchestra.accounts import audit
from orchestra.accounts.models import AuditAction, User
from orchestra.common import failpoints

logger = structlog.get_logger(__name__)

_ACTIVE = (FileStatus.QUEUED, FileStatus.PROCESSING)


def put(file: FileRecord) -> None:
    """Move a file to the trash; it is out of every list and search once this returns.

    Its processing is cancelled. What is still being uploaded is deleted, and so is everything where TRASH_DAYS is 0.
    Raises FileNotFound where it is there already, or gone.
    """
    with transaction.atomic():
        locked = _locked(file.pk, trashed=False)
        if locked.status == FileStatus.UPLOADING or not settings.TRASH_DAYS:
            _remove(locked, by=locked.owner_id)
            return
        if locked.status in _ACTIVE:
            jobs.cancel(locked)
        for stage in reversed(stages()):
            stage.hide(locked.pk)
        failpoints.reach("trash.hidden")
        told = WebhookEvent.DELETED
        _set_trashed(locked, Now(), "trashed", "The file was moved to the trash.", told, was=locked.status)
        publish_deletion(locked.owner_id, locked.pk)
        audit.record(AuditAction.FILE_TRASHED, subject=f"file {locked.pk}", owner_id=locked.owner_id)


def restore(file: FileRecord, message: str = "The file came back from the trash.") -> FileRecord:
    """Take a file out of the trash, found as before; one that was waiting or being read is queued again.

    Raises FileNotFound where it is not in the trash.
    """
    with transaction.atomic():
        locked = _locked(file.pk, trashed=True)
        for stage in stages():
            stage.show(locked.pk)
        failpoints.reach("trash.shown")
        _set_trashed(locked, None, "restored", message, states.TOLD.get(locked.status))
        if locked.status == FileStatus.CANCELLED and _status_before(locked) in _ACTIVE:
            jobs.retry(locked)
        audit.record(AuditAction.FILE_RESTORED, subject=f"file {locked.pk}", owner_id=locked.owner_id)
    locked.refresh_from_db()
    return locked


def purge(file: FileRecord) -> None:
    """Delete a file completely, in the trash or not: rows, passages, vectors, words, bytes. Raises FileNotFound."""
    with transaction.atomic():
        _remove(_locked(file.pk), by=file.owner_id)


def empty(user: User) -> int:
    """Delete completely all that a user has in the trash. Return how many files went."""
    return _purge_each(trash_of(user), by=user.pk)


def due(days: int | None = None) -> QuerySet[FileRecord]:
    """Return the files that have been in the trash for longer than so many days, TRASH_DAYS if none are given."""
    kept = timedelta(days=settings.TRASH_DAYS if days is None else days)
    return FileRecord.objects.filter(trashed_at__lte=Now() - kept).order_by("trashed_at")


def purged_after(file: FileRecord) -> datetime | None:
    """Return when a file's time in the trash is up; None where it is not in there."""
    return file.trashed_at + timedelta(days=settings.TRASH_DAYS) if file.trashed_at else None


def purge_due() -> int:
    """Delete completely what has been in the trash for TRASH_DAYS. Return how many files went."""
    count = _purge_each(due())
    if count:
        logger.info("trash purged", files=count)
    return count


def purge_trashed(file_id: UUID, *, by: UUID | None = None) -> bool:
    """Delete a file completely if it is in the trash; return whether it was. `by`: none where its time is up."""
    try:
        with transaction.atomic():
            _remove(_locked(file_id, trashed=True), by=by)
    except FileNotFound:  # restored or deleted meanwhile
        return False
    return True


def _purge_each(files: QuerySet[FileRecord], *, by: UUID | None = None) -> int:
    ids: Iterable[UUID] = list(files.values_list("pk", flat=True))
    return sum(purge_trashed(file_id, by=by) for file_id in ids)


def _locked(file_id: UUID, *, trashed: bool | None = None) -> FileRecord:
    """Return the file, its job, its uploads and itself locked until the transaction ends. Raises FileNotFound."""
    # The job's row first, as everywhere: a worker about to publish results waits here, then finds its job gone.
    ProcessingJob.objects.select_for_update().filter(file=file_id).first()
    _hold_uploads(file_id)
    file = FileRecord.objects.select_for_update().filter(pk=file_id).first()
    if file is None or (trashed is not None and (file.trashed_at is not None) != trashed):
        raise FileNotFound
    return file


def _hold_uploads(file_id: UUID) -> None:
    """Wait for requests that are storing bytes of a file; later ones find it gone, or wait. Before the file's row."""
    list(Upload.objects.select_for_update().filter(file=file_id).values_list("pk"))


def _set_trashed(
    file: FileRecord, moment: Now | None, code: str, message: str, told: WebhookEvent | None, **details: object
) -> None:
    FileRecord.objects.filter(pk=file.pk).update(trashed_at=moment, version=F("version") + 1, updated_at=Now())
    file.refresh_from_db()
    states.record_event(file, code, message, webhook_event=told, **details)


def _status_before(file: FileRecord) -> str:
    """Return the status that a file had when it was moved to the trash."""
    event = file.events.filter(code="trashed").order_by("-id").first()
    return str(event.details.get("was", "")) if event else ""


def _remove(file: FileRecord, *, by: UUID | None) -> None:
    for stage in reversed(stages()):
        stage.discard(file.pk)
    owner_id, file_id = file.owner_id, file.pk
    # What is in the trash was told when it went there, and nobody was told of what was still being uploaded.
    if file.trashed_at is None and file.status != FileStatus.UPLOADING:
        outbox.tell(WebhookEvent.DELETED, owner_id, file_id, file.version + 1)
    FileRecord.objects.filter(pk=file_id).delete()
    audit.record(AuditAction.FILE_DELETED, subject=f"file {file_id}", owner_id=by)
    publish_deletion(owner_id, file_id)
    failpoints.reach("delete.removing")
