"""What must always be true of files, jobs and bytes; `manage.py verify` looks, and repairs where nothing can be lost.

`search.verifying` has the same for what is searched.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from files import extraction_settings, jobs, services, states, storage
from files.errors import FileNotFound, InvalidMove
from files.extraction.base import ExtractionError
from files.extraction.sandbox import extract_in_sandbox
from files.findings import Findings
from files.hints import publish_hints, waiting_hints
from files.models import FileRecord, FileSegment, FileStatus, JobState, ProcessingJob, Upload, UploadChunk
from orchestra.monitoring.verification import Invariant, Level, first_column, invariants

# Twice what the sweeper may take: a job is not called stuck while its rescue is under way.
_PATIENCE = timedelta(seconds=60)
_HOUR = 3600
_BACKUP = "Take the file from a backup, or delete it and upload it again."


def register() -> None:
    """Add the invariants of this application."""
    invariants.add(*_OF_JOBS, *_OF_ROWS, *_OF_BYTES)


def jobs_missing() -> Iterator[str]:
    """Files that are to be processed, and no job will do so."""
    return first_column(
        "SELECT f.id FROM files_filerecord f LEFT JOIN files_processingjob j ON j.file_id = f.id "
        "WHERE f.status IN ('queued', 'processing') AND (j.id IS NULL OR j.state IN ('done', 'cancelled'))"
    )


def _queue_again(file_id: str) -> bool:
    with transaction.atomic():
        job = ProcessingJob.objects.select_for_update().filter(file=UUID(file_id)).first()
        file = FileRecord.objects.select_for_update().filter(pk=file_id).first()
        if file is None or file.status not in (FileStatus.QUEUED, FileStatus.PROCESSING):
            return False
        if job is not None and job.state in (JobState.QUEUED, JobState.RUNNING):
            return False
        if file.status == FileStatus.PROCESSING:
            file = states.move(file.pk, FileStatus.QUEUED, "repaired", "Its job was lost; it is processed again.")
        jobs.enqueue(file)
    return True


def jobs_at_odds() -> Iterator[str]:
    """Files whose status says something else than their job's state."""
    return first_column(
        "SELECT f.id FROM files_filerecord f JOIN files_processingjob j ON j.file_id = f.id "
        "WHERE (j.state = 'running') <> (f.status = 'processing') AND j.state IN ('queued', 'running') "
        "OR j.state = 'queued' AND f.status <> 'queued'"
    )


def _take_the_files_word(file_id: str) -> bool:
    """What a person sees is right: the job follows the file's status."""
    with transaction.atomic():
        job = ProcessingJob.objects.select_for_update().filter(file=UUID(file_id)).first()
        file = FileRecord.objects.select_for_update().filter(pk=file_id).first()
        if job is None or file is None:
            return False
        if file.status == FileStatus.PROCESSING and job.state == JobState.QUEUED:
            states.move(file.pk, FileStatus.QUEUED, "repaired", "Its job waits; so does the file.")
        elif file.status == FileStatus.QUEUED and job.state == JobState.RUNNING:
            # One attempt more, so that whoever believes to run it is fenced off.
            ProcessingJob.objects.filter(pk=job.pk).update(attempt=F("attempt") + 1)
            jobs.enqueue(file)
        elif file.status in states.TERMINAL and job.state in (JobState.QUEUED, JobState.RUNNING):
            ProcessingJob.objects.filter(pk=job.pk).update(
                state=JobState.DONE, attempt=F("attempt") + 1, lease_until=None, finished_at=Now()
            )
        else:
            return False
    return True


def jobs_without_lease() -> Iterator[str]:
    """Running jobs that nobody extends and nobody takes over."""
    late = ProcessingJob.objects.filter(state=JobState.RUNNING).exclude(lease_until__gte=Now() - _PATIENCE)
    return (str(file_id) for file_id in late.values_list("file_id", flat=True).iterator())


def _end_lease(file_id: str) -> bool:
    stale = ProcessingJob.objects.filter(file=UUID(file_id), state=JobState.RUNNING)
    ended = stale.exclude(lease_until__gte=Now() - _PATIENCE).update(lease_until=Now() - _PATIENCE)
    return bool(ended) and jobs.sweep()["lost"] > 0


def jobs_without_hint() -> Iterator[str]:
    """Due jobs of which no message waits in Redis, though the sweeper had time enough to send one."""
    if waiting_hints():
        return iter(())
    due = ProcessingJob.objects.filter(state=JobState.QUEUED, available_at__lt=Now() - _PATIENCE)
    return (str(file_id) for file_id in due.values_list("file_id", flat=True).iterator())


def _send_hint(file_id: str) -> bool:
    before = waiting_hints()
    publish_hints(1)
    due = ProcessingJob.objects.filter(file=UUID(file_id), state=JobState.QUEUED).exists()
    return not due or waiting_hints() > before


def failures_without_reason() -> Iterator[str]:
    """Failed files that do not say why."""
    silent = FileRecord.objects.filter(status=FileStatus.FAILED, error_code="")
    return (str(file_id) for file_id in silent.values_list("pk", flat=True).iterator())


def _process_again(file_id: str) -> bool:
    file = FileRecord.objects.filter(pk=file_id).first()
    if file is None:
        return False
    with suppress(InvalidMove, FileNotFound):
        services.retry(file)
        return True
    return False


def uploads_at_odds() -> Iterator[str]:
    """Files that wait for bytes which no upload will bring, and uploads of files that have all of theirs."""
    return first_column(
        "SELECT f.id FROM files_filerecord f "
        "LEFT JOIN files_upload u ON u.file_id = f.id AND u.completed_at IS NULL "
        "WHERE (f.status = 'uploading') <> (u.id IS NOT NULL)"
    )


def _settle_upload(file_id: str) -> bool:
    """Nothing of the file was ever acknowledged as complete, or all of it was."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().filter(file=UUID(file_id), completed_at=None).first()
        file = FileRecord.objects.select_for_update().filter(pk=file_id).first()
        if file is None or (file.status == FileStatus.UPLOADING) == (upload is not None):
            return False
        if upload is not None:
            upload.delete()
        else:
            services.delete(file)
    return True


def segments_incomplete() -> Iterator[str]:
    """Searchable files that have not the segments 0 to n-1 that their record counts."""
    return first_column(
        "SELECT f.id FROM files_filerecord f LEFT JOIN files_filesegment s "
        "ON s.file_id = f.id AND s.generation = f.generation WHERE f.status IN ('ready', 'partial') "
        "GROUP BY f.id HAVING count(s.id) <> f.segment_count "
        "OR coalesce(min(s.ordinal), 0) <> 0 OR coalesce(max(s.ordinal) + 1, 0) <> f.segment_count"
    )


def segments_left_over() -> Iterator[str]:
    """Segments of another generation than the current one, though no worker is reading the file."""
    return first_column(
        "SELECT DISTINCT f.id FROM files_filerecord f JOIN files_filesegment s "
        "ON s.file_id = f.id AND s.generation <> f.generation WHERE f.status IN ('ready', 'partial')"
    )


def _remove_old_segments(file_id: str) -> bool:
    with transaction.atomic():
        ProcessingJob.objects.select_for_update().filter(file=UUID(file_id)).first()
        file = FileRecord.objects.select_for_update().filter(pk=file_id, status__in=states.SEARCHABLE).first()
        if file is None:
            return False
        return bool(FileSegment.objects.filter(file=file).exclude(generation=file.generation).delete()[0])


def versions_falling() -> Iterator[str]:
    """Files whose history has a version lower than an earlier one's, or higher than the file's own."""
    return first_column(
        "SELECT DISTINCT e.file_id FROM (SELECT file_id, version, "
        "lag(version) OVER (PARTITION BY file_id ORDER BY id) AS before FROM files_fileevent) e "
        "JOIN files_filerecord f ON f.id = e.file_id WHERE e.version < e.before OR e.version > f.version"
    )


def _raise_version(file_id: str) -> bool:
    """Make the file's version the highest ever told, so that no client ignores what comes next."""
    with transaction.atomic():
        file = FileRecord.objects.select_for_update().filter(pk=file_id).first()
        if file is None:
            return False
        highest = file.events.aggregate(highest=Max("version"))["highest"] or 0
        if highest <= file.version:
            return False  # told in the wrong order: history stays as it is
        FileRecord.objects.filter(pk=file_id).update(version=highest)
        states.touch(file.pk)
    return True


def bytes_missing() -> Iterator[str]:
    """Complete files whose bytes are not where the record says, or not as many."""
    for file_id, key, size in _stored():
        path = storage.path_of(key)
        if (not path.exists() or path.stat().st_size != size) and _is_still_there(file_id, key):
            yield file_id


def bytes_damaged() -> Iterator[str]:
    """Complete files whose bytes have another SHA-256 than the one that was verified at the upload."""
    for file_id, key, size in _stored():
        path = storage.path_of(key)
        with suppress(FileNotFoundError):
            digest = storage.digest_of(path)
            damaged = path.stat().st_size == size and not _has_digest(file_id, digest)
            if damaged and _is_still_there(file_id, key):
                yield file_id


def _has_digest(file_id: str, digest: str) -> bool:
    return FileRecord.objects.filter(pk=file_id, sha256=digest).exists()


def _stored() -> Iterator[tuple[str, str, int]]:
    rows = FileRecord.objects.exclude(status=FileStatus.UPLOADING).order_by("pk")
    for file_id, key, size in rows.values_list("pk", "storage_key", "size").iterator(500):
        yield str(file_id), key, size


def _is_still_there(file_id: str, key: str) -> bool:
    """Look again: the file may have been deleted since its row was read."""
    return FileRecord.objects.filter(pk=file_id, storage_key=key).exists()


def bytes_without_row() -> Iterator[str]:
    """Stored bytes, older than an hour, that belong to no file: what a crash left between a commit and a removal."""
    for path in storage.stored_before(time.time() - _HOUR):
        if not FileRecord.objects.filter(pk=path.name.removesuffix(".part")).exists():
            yield str(path)


def _remove_bytes(name: str) -> bool:
    path = Path(name)
    if FileRecord.objects.filter(pk=path.name.removesuffix(".part")).exists():
        return False
    storage.remove(path)
    return True


def chunks_without_bytes() -> Iterator[str]:
    """Chunks of unfinished uploads that were acknowledged and whose bytes are not there."""
    chunks = UploadChunk.objects.filter(upload__completed_at=None).select_related("upload")
    for chunk in chunks.order_by("pk").iterator(500):
        if not _chunk_is_there(chunk) and UploadChunk.objects.filter(pk=chunk.pk, upload__completed_at=None).exists():
            yield str(chunk.pk)


def _chunk_is_there(chunk: UploadChunk) -> bool:
    # A crash between the move of the bytes and the commit leaves them at their key; the completion finds them there.
    places = (storage.part_path(chunk.upload_id), storage.path_of(storage.key_of(chunk.upload_id)))
    start = chunk.index * chunk.upload.chunk_size
    return any(path.exists() and storage.digest_of_part(path, start, chunk.size) == chunk.sha256 for path in places)


def _ask_for_chunk_again(chunk_id: str) -> bool:
    with transaction.atomic():
        chunk = UploadChunk.objects.filter(pk=chunk_id).select_related("upload").first()
        if chunk is None:
            return False
        upload = Upload.objects.select_for_update().filter(pk=chunk.upload_id, completed_at=None).first()
        if upload is None or _chunk_is_there(chunk):
            return False
        chunk.delete()
        states.touch(upload.file_id)
    return True


def texts_differing() -> Iterator[str]:
    """Ready files of which another number of segments or characters is read now than is stored."""
    files = FileRecord.objects.filter(status=FileStatus.READY).order_by("pk")
    for file in files.iterator(100):
        if _reads_differently(file) and FileRecord.objects.filter(pk=file.pk, generation=file.generation).exists():
            yield str(file.pk)


def _reads_differently(file: FileRecord) -> bool:
    source = extraction_settings.source_for(storage.path_of(file.storage_key), file.name, file.media_type)
    findings = Findings()
    try:
        for _ in findings.segments_of(extract_in_sandbox(source, extraction_settings.limits())):
            pass
    except ExtractionError:
        return True
    return (findings.segments, findings.characters) != (file.segment_count, file.character_count)


_OF_JOBS = (
    Invariant(jobs_missing, "{count} files are to be processed and have no job.", Level.JOBS, _queue_again),
    Invariant(jobs_at_odds, "{count} files and their jobs disagree.", Level.JOBS, _take_the_files_word),
    Invariant(
        jobs_without_lease,
        "{count} running jobs have no live lease, and nobody takes them over.",
        Level.JOBS,
        _end_lease,
    ),
    Invariant(jobs_without_hint, "{count} due jobs wait and no worker is told.", Level.JOBS, _send_hint),
    Invariant(failures_without_reason, "{count} files failed and do not say why.", Level.JOBS, _process_again),
    Invariant(uploads_at_odds, "{count} files and their uploads disagree.", Level.JOBS, _settle_upload),
)
_OF_ROWS = (
    Invariant(segments_incomplete, "{count} files have not all of their text.", Level.DATABASE, _process_again),
    Invariant(
        segments_left_over, "{count} files keep text of an earlier reading.", Level.DATABASE, _remove_old_segments
    ),
    Invariant(versions_falling, "{count} files have a history that goes backwards.", Level.DATABASE, _raise_version),
)
_OF_BYTES = (
    Invariant(bytes_missing, "{count} files lack bytes.", Level.BYTES, remedy=_BACKUP),
    Invariant(bytes_damaged, "{count} files have other bytes than were sent.", Level.BYTES, remedy=_BACKUP),
    Invariant(bytes_without_row, "{count} stored pieces belong to no file.", Level.BYTES, _remove_bytes),
    Invariant(chunks_without_bytes, "{count} acknowledged chunks are not stored.", Level.BYTES, _ask_for_chunk_again),
    Invariant(texts_differing, "{count} files would be read differently now.", Level.TEXTS, _process_again),
)
