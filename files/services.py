"""Writes to files that users ask for. The API, the pages, the admin and the commands all call these."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from files import jobs, states, storage, trash
from files.errors import FileNotFound, InvalidMove
from files.holding import unless_held
from files.models import FileRecord, FileStatus, Upload
from files.names import clean_name, clean_tags
from files.selectors import files_of
from orchestra.accounts.models import User
from orchestra.common import failpoints
from orchestra.common.conditional import require_version

MOST_RETRIED = 500
"""Files in one request: each is a transaction of its own."""


def update(
    file: FileRecord,
    *,
    name: str | None = None,
    tags: list[str] | None = None,
    versions: frozenset[str] | None = None,
) -> FileRecord:
    """Rename or tag a file, one of these versions where some are named. Raises FileNotFound, Changed."""
    changes: dict[str, object] = {}
    if name is not None:
        changes["name"] = clean_name(name)
    if tags is not None:
        changes["tags"] = clean_tags(tags)
    with transaction.atomic():
        _require_version(file, versions)
        if not FileRecord.objects.filter(pk=file.pk).update(version=F("version"), updated_at=Now(), **changes):
            raise FileNotFound
        states.touch(file.pk)
    file.refresh_from_db()
    return file


def delete(file: FileRecord, *, versions: frozenset[str] | None = None) -> None:
    """Move a file to the trash, where nothing finds it and from where it may come back for TRASH_DAYS.

    With TRASH_DAYS of 0, or while it is still being uploaded, it is deleted at once and completely. Raises Changed
    where it is none of these versions.
    """
    with transaction.atomic():
        _require_version(file, versions)
        trash.put(file)


def _require_version(file: FileRecord, allowed: frozenset[str] | None) -> None:
    """Keep a file as it is until the transaction ends, if its version matters. Raises FileNotFound, Changed."""
    if allowed is None:
        return
    locked = FileRecord.objects.select_for_update().filter(pk=file.pk).first()
    if locked is None:
        raise FileNotFound
    require_version(str(locked.version), allowed)


def restore(file: FileRecord) -> FileRecord:
    """Take a file out of the trash, as it was. Raises FileNotFound where it is not in there."""
    return trash.restore(file)


def delete_completely(file: FileRecord) -> None:
    """Delete a file with its text, passages, vectors and bytes, in the trash or not."""
    trash.purge(file)


def delete_upload(upload: Upload) -> None:
    """End an upload and delete what it brought; a file that was there before with the same content stays."""
    if upload.file_id == upload.pk:
        delete(upload.file)
    Upload.objects.filter(pk=upload.pk).delete()


def forget_bytes(*, instance: FileRecord, **_: object) -> None:
    """Delete the bytes of a file whose row is gone; after commit, because a row without bytes is a lie.

    While a backup copies bytes they stay, and are removed as bytes without a row later (`files.expiry.expire`).
    """
    file_id, store = instance.pk, storage.storage_of(instance)

    def forget() -> None:
        failpoints.reach("delete.removed")
        unless_held(lambda: store.forget(file_id))

    transaction.on_commit(forget)


def retry(file: FileRecord) -> None:
    """Process a failed, partial, cancelled or ready file again."""
    _require_out_of_trash(file)
    jobs.retry(file)


def retry_failed(user: User) -> int:
    """Process again what failed, the oldest first, `MOST_RETRIED` files at most. Return how many are queued again."""
    failed = files_of(user).filter(status=FileStatus.FAILED).order_by("created_at")
    return sum(map(_retried, failed[:MOST_RETRIED]))


def _retried(file: FileRecord) -> bool:
    try:
        jobs.retry(file)
    except InvalidMove:  # queued again or deleted by somebody else meanwhile
        return False
    return True


def cancel(file: FileRecord) -> None:
    """Take a file out of the queue or stop its processing."""
    jobs.cancel(file)


def _require_out_of_trash(file: FileRecord) -> None:
    if file.trashed_at is not None:
        raise InvalidMove("The file is in the trash.", hint="Restore it first.")
