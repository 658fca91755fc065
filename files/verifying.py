"""What must always be true of files and jobs; `manage.py verify` looks, and repairs where nothing can be lost.

`files.verifying_bytes` has the same for stored bytes, `search.verifying` for what is searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from files import jobs, services, states
from files.errors import FileNotFound, InvalidMove
from files.hints import publish_hints, waiting_hints
from files.models import FileRecord, FileSegment, FileStatus, JobState, ProcessingJob, Upload
from orchestra.monitoring.verification import Invariant, Level, first_column, invariants

# Twice what the sweeper may take: a job is not called stuck while its rescue is under way.
_PATIENCE = timedelta(seconds=60)


def register() -> None:
    """Add the invariants of this application."""
    invariants.add(*_OF_JOBS, *_OF_ROWS)


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


def process_again(file_id: str) -> bool:
    """Let a worker read and index a file anew; what is there serves until then."""
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
    Invariant(failures_without_reason, "{count} files failed and do not say why.", Level.JOBS, process_again),
    Invariant(uploads_at_odds, "{count} files and their uploads disagree.", Level.JOBS, _settle_upload),
)
_OF_ROWS = (
    Invariant(segments_incomplete, "{count} files have not all of their text.", Level.DATABASE, process_again),
    Invariant(
        segments_left_over, "{count} files keep text of an earlier reading.", Level.DATABASE, _remove_old_segments
    ),
    Invariant(versions_falling, "{count} files have a history that goes backwards.", Level.DATABASE, _raise_version),
)
