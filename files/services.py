"""Writes to files that users ask for. The API, the pages, the admin and the commands all call these."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from files import jobs, states, storage
from files.events import publish_deletion
from files.models import FileRecord, ProcessingJob
from files.names import clean_name, clean_tags
from files.pipeline import stages
from orchestra.common import failpoints


def update(file: FileRecord, *, name: str | None = None, tags: list[str] | None = None) -> FileRecord:
    """Rename or tag a file."""
    changes: dict[str, object] = {}
    if name is not None:
        changes["name"] = clean_name(name)
    if tags is not None:
        changes["tags"] = clean_tags(tags)
    with transaction.atomic():
        FileRecord.objects.filter(pk=file.pk).update(version=F("version"), updated_at=Now(), **changes)
        states.touch(file.pk)
    file.refresh_from_db()
    return file


def delete(file: FileRecord) -> None:
    """Delete a file completely: rows, passages, vectors, bytes. A worker that reads it stops at its next report."""
    with transaction.atomic():
        # The job's row first, as everywhere: a worker about to publish results waits here, then finds its job gone.
        ProcessingJob.objects.select_for_update().filter(file=file).first()
        for stage in reversed(stages()):
            stage.discard(file.pk)
        owner_id, file_id = file.owner_id, file.pk
        FileRecord.objects.filter(pk=file_id).delete()
        publish_deletion(owner_id, file_id)
        failpoints.reach("delete.removing")


def forget_bytes(*, instance: FileRecord, **_: object) -> None:
    """Delete the bytes of a file whose row is gone; after commit, because a row without bytes is a lie."""
    file_id, store = instance.pk, storage.storage_of(instance)

    def forget() -> None:
        failpoints.reach("delete.removed")
        store.forget(file_id)

    transaction.on_commit(forget)


def retry(file: FileRecord) -> None:
    """Process a failed, partial, cancelled or ready file again."""
    jobs.retry(file)


def cancel(file: FileRecord) -> None:
    """Take a file out of the queue or stop its processing."""
    jobs.cancel(file)
