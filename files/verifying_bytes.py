"""What must always be true of stored bytes: every file has those that were sent, and none lie about for nobody.

Beside `files.verifying`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

from django.db import transaction

from files import extraction_settings, uploads
from files.errors import BytesMissing
from files.extraction.base import ExtractionError
from files.extraction.sandbox import extract_in_sandbox
from files.findings import Findings
from files.holding import unless_held
from files.models import FileRecord, FileStatus, Upload, UploadChunk
from files.storage import file_storages, storage_of
from files.verifying import process_again
from orchestra.monitoring.verification import Invariant, Level, invariants

_HOUR = 3600
_BACKUP = "Take the file from a backup, or delete it and upload it again."


def register() -> None:
    """Add these invariants."""
    invariants.add(*_OF_BYTES)


def bytes_missing() -> Iterator[str]:
    """Complete files whose bytes are not where the record says, or not as many."""
    for file in _complete():
        if storage_of(file).size_of(file.storage_key) != file.size and _is_still_there(file):
            yield str(file.pk)


def bytes_damaged() -> Iterator[str]:
    """Complete files whose bytes have another SHA-256 than the one that was verified at the upload."""
    for file in _complete():
        storage, digest = storage_of(file), hashlib.sha256()
        if storage.size_of(file.storage_key) != file.size:
            continue  # missing, which is told already
        with suppress(BytesMissing):
            for piece in storage.read(file.storage_key, 0, file.size):
                digest.update(piece)
            if digest.hexdigest() != file.sha256 and _is_still_there(file):
                yield str(file.pk)


def _complete() -> Iterator[FileRecord]:
    return FileRecord.objects.exclude(status=FileStatus.UPLOADING).order_by("pk").iterator(500)


def _is_still_there(file: FileRecord) -> bool:
    """Look again: the file may have been deleted or moved since its row was read."""
    same = FileRecord.objects.filter(pk=file.pk, storage_key=file.storage_key, storage=file.storage)
    return same.exists()


def bytes_without_row() -> Iterator[str]:
    """Stored bytes, older than an hour, that belong to no file: what a crash left between a commit and a removal."""
    for alias in file_storages.aliases():
        for stored in file_storages[alias].stored_before(time.time() - _HOUR):
            if not FileRecord.objects.filter(pk=stored.file_id, storage=alias).exists():
                yield f"{alias}:{stored.file_id}"


def _remove_bytes(name: str) -> bool:
    alias, _, file_id = name.partition(":")
    if FileRecord.objects.filter(pk=file_id, storage=alias).exists():
        return False
    return unless_held(lambda: file_storages[alias].forget(UUID(file_id)))


def chunks_without_bytes() -> Iterator[str]:
    """Chunks of unfinished uploads that were acknowledged and whose bytes are not there."""
    chunks = UploadChunk.objects.filter(upload__completed_at=None).select_related("upload__file")
    for chunk in chunks.order_by("pk").iterator(500):
        if not _chunk_is_there(chunk) and UploadChunk.objects.filter(pk=chunk.pk, upload__completed_at=None).exists():
            yield str(chunk.pk)


def _chunk_is_there(chunk: UploadChunk) -> bool:
    stored = storage_of(chunk.upload.file).digest_of_part(chunk.upload, chunk.start, chunk.size)
    return stored in (None, chunk.sha256)


def _ask_for_chunk_again(chunk_id: str) -> bool:
    with transaction.atomic():
        chunk = UploadChunk.objects.filter(pk=chunk_id).select_related("upload__file").first()
        if chunk is None:
            return False
        upload = Upload.objects.select_for_update().filter(pk=chunk.upload_id, completed_at=None).first()
        if upload is None or _chunk_is_there(chunk):
            return False
        uploads.take_back(upload, chunk)
    return True


def texts_differing() -> Iterator[str]:
    """Ready files of which another number of segments or characters is read now than is stored."""
    files = FileRecord.objects.filter(status=FileStatus.READY).order_by("pk")
    for file in files.iterator(100):
        if _reads_differently(file) and FileRecord.objects.filter(pk=file.pk, generation=file.generation).exists():
            yield str(file.pk)


def _reads_differently(file: FileRecord) -> bool:
    findings = Findings()
    try:
        with storage_of(file).local(file.storage_key, file.sha256) as path:
            source = extraction_settings.source_for(path, file.name, file.media_type)
            for _ in findings.segments_of(extract_in_sandbox(source, extraction_settings.limits())):
                pass
    except BytesMissing:
        return False  # missing, which is told already
    except ExtractionError:
        return True
    return (findings.segments, findings.characters) != (file.segment_count, file.character_count)


_OF_BYTES = (
    Invariant(bytes_missing, "{count} files lack bytes.", Level.BYTES, remedy=_BACKUP),
    Invariant(bytes_damaged, "{count} files have other bytes than were sent.", Level.BYTES, remedy=_BACKUP),
    Invariant(bytes_without_row, "{count} stored pieces belong to no file.", Level.BYTES, _remove_bytes),
    Invariant(chunks_without_bytes, "{count} acknowledged chunks are not stored.", Level.BYTES, _ask_for_chunk_again),
    Invariant(texts_differing, "{count} files would be read differently now.", Level.TEXTS, process_again),
)
