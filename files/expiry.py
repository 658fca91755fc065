"""Uploads that nobody finishes: completed where every byte is here, removed after their time where bytes are missing.

What comes before: `files.uploads`. Run by the beat, and harmless at any moment and any number of times.
"""

from __future__ import annotations

import time
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from files import storage, uploads
from files.errors import StorageError
from files.events import publish_deletion
from files.holding import unless_held
from files.models import FileRecord, Upload
from orchestra.common import failpoints
from orchestra.common.errors import OrchestraError

_DAY = 24 * 3600


def expire() -> int:
    """Remove unfinished uploads past their time, and the rows of finished ones. Return how many were removed."""
    count = 0
    for upload_id in Upload.objects.filter(_over()).values_list("pk", flat=True):
        count += _expire_one(upload_id)
    _remove_litter()
    return count


def complete_whole() -> int:
    """Complete uploads that have every byte: the process died in between, and no client need come back.

    Return how many became files.
    """
    count = 0
    for upload_id in Upload.objects.filter(completed_at=None, received=F("size")).values_list("pk", flat=True):
        with suppress(OrchestraError):  # one that cannot be is no reason to leave the others
            count += uploads.complete(upload_id).complete
    return count


def _over() -> Q:
    return uploads.abandoned() | Q(completed_at__isnull=False, expires_at__lt=Now())


def _remove_litter() -> None:
    """Delete bytes without a row: what a crash between a deletion's commit and its removal of bytes left behind."""
    # A day old, so that nothing is taken from under a transaction that has not committed yet.
    for alias in storage.file_storages.aliases():
        with suppress(StorageError):  # one that is away is looked through by a later run
            for stored in storage.file_storages[alias].stored_before(time.time() - _DAY):
                if stored.orphaned or not FileRecord.objects.filter(pk=stored.file_id, storage=alias).exists():
                    unless_held(stored.remove)


def _expire_one(upload_id: UUID) -> bool:
    with transaction.atomic():
        upload = Upload.objects.select_for_update(skip_locked=True).filter(_over(), pk=upload_id).first()
        if upload is None:
            return False
        if upload.completed_at is not None:
            upload.delete()
            return False
        store = storage.storage_of(upload.file)
        FileRecord.objects.filter(pk=upload.file_id).delete()
        publish_deletion(upload.owner_id, upload.file_id)
        failpoints.reach("upload.expiring")
        transaction.on_commit(lambda: store.forget(upload_id))
        return True
