"""Moving finished files from one storage to another, while the product runs and as often as it takes.

A file's row says where its bytes are, so every file is whole in one storage at every moment: the copy is verified
before the row changes, and what lies in the old place is removed after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from files.errors import BytesDamaged, BytesMissing
from files.holding import unless_held
from files.models import FileRecord, JobState, ProcessingJob
from files.storage import FileStorage, file_storages, storage_of
from orchestra.common.disk import digest_of
from orchestra.common.errors import OrchestraError


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one file: `problem` is empty where its bytes are in the new storage."""

    file: FileRecord
    problem: str = ""


def to_move(alias: str) -> int:
    """Return how many files have their bytes elsewhere than in the storage `alias`, uploads under way included."""
    return FileRecord.objects.exclude(storage=alias).count()


def move_all(alias: str) -> Iterator[Moved]:
    """Move every finished file to the storage `alias`, one after the other; a problem with one stops no other."""
    ids = FileRecord.objects.exclude(storage=alias).exclude(storage_key="").order_by("pk").values_list("pk", flat=True)
    for file_id in list(ids):
        file = FileRecord.objects.filter(pk=file_id).first()
        if file is not None and file.storage != alias:
            yield _moved(file, alias)


def _moved(file: FileRecord, alias: str) -> Moved:
    try:
        _copy(file, file_storages[alias])
        return Moved(file, "" if _switch(file, alias) else "a worker reads it at the moment, or it was deleted")
    except OrchestraError as exc:
        return Moved(file, exc.message)


def _copy(file: FileRecord, target: FileStorage) -> None:
    key = file.storage_key
    # What a run before this one left there is sent again where it is not the same.
    if target.size_of(key) == file.size and _digest_in(target, file) == file.sha256:
        return
    with storage_of(file).local(key, file.sha256) as path:
        if digest_of(path) != file.sha256:
            raise BytesDamaged
        target.put(key, path)
    if _digest_in(target, file) != file.sha256:
        raise BytesDamaged("The copy in the new storage is not what was sent.")


def _digest_in(store: FileStorage, file: FileRecord) -> str:
    digest = hashlib.sha256()
    try:
        for piece in store.read(file.storage_key, 0, file.size):
            digest.update(piece)
    except BytesMissing:
        return ""
    return digest.hexdigest()


def _switch(file: FileRecord, alias: str) -> bool:
    """Let the file's row name the new storage and free the old one; False while a worker reads from there."""
    old = storage_of(file)
    with transaction.atomic():
        job = ProcessingJob.objects.select_for_update().filter(file_id=file.pk).first()
        if job is not None and job.state == JobState.RUNNING:
            return False
        switched = FileRecord.objects.filter(pk=file.pk, storage=file.storage).update(storage=alias)
    if switched:
        unless_held(partial(old.forget, file.pk))  # what a backup copies at the moment is removed as litter later
    elif not FileRecord.objects.filter(pk=file.pk).exists():
        file_storages[alias].forget(file.pk)
    return bool(switched)
