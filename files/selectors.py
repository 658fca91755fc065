"""Reads of files. Every one is scoped to its owner: another's id is an unknown id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Now

from files import estimates
from files.errors import FileNotFound
from files.models import FileEvent, FileRecord, FileSegment, FileStatus, JobState, ProcessingJob
from files.queue_places import places_of
from orchestra.accounts.models import User
from orchestra.monitoring import pulses

_LONGEST_PASSAGE = 50  # segments; a passage holds a few


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is: `done` of `total` units (0: unknown) of one stage."""

    stage: str
    done: int
    total: int
    unit: str
    heartbeat_age: float | None

    @property
    def percent(self) -> int | None:
        """Share done of this stage, 0-100; None when the total is unknown."""
        return min(100, 100 * self.done // self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class FileStatusView:
    """The truth about one file, as the API, the socket and the pages show it.

    `cause` is the code of why the attempt before this one ended, `workers` how many files can be read at a time (None
    where that does not matter), `estimate` about how many seconds are left (None where nothing honest can be said).
    """

    file: FileRecord
    waiting_behind: int | None
    progress: Progress | None
    attempt: int
    retry_at: datetime | None
    cause: str = ""
    workers: int | None = None
    estimate: int | None = None


def files_of(user: User | AnonymousUser) -> QuerySet[FileRecord]:
    """Return the files that `user` may see: their own, but those in the trash."""
    return _all_of(user).filter(trashed_at=None)


def trash_of(user: User | AnonymousUser) -> QuerySet[FileRecord]:
    """Return the files that `user` has in the trash, those put there last first."""
    return _all_of(user).exclude(trashed_at=None).order_by("-trashed_at", "-pk")


def _all_of(user: User | AnonymousUser) -> QuerySet[FileRecord]:
    return FileRecord.objects.filter(owner_id=user.pk) if user.pk else FileRecord.objects.none()


def get_file(user: User | AnonymousUser, file_id: UUID | str) -> FileRecord:
    """Return one file of `user`. Raises FileNotFound, alike for unknown ids and for those of others."""
    return _one(files_of(user), file_id)


def get_trashed(user: User | AnonymousUser, file_id: UUID | str) -> FileRecord:
    """Return one file of `user` from the trash. Raises FileNotFound for every other id."""
    return _one(trash_of(user), file_id)


def _one(files: QuerySet[FileRecord], file_id: UUID | str) -> FileRecord:
    file = files.filter(pk=file_id).first()
    if file is None:
        raise FileNotFound
    return file


def filtered(
    files: QuerySet[FileRecord],
    *,
    status: Iterable[str] = (),
    kind: str = "",
    tag: str = "",
    name: str = "",
    ids: Iterable[str] = (),
) -> QuerySet[FileRecord]:
    """Narrow a list of files by what a user typed."""
    if statuses := [value for value in status if value in FileStatus.values]:
        files = files.filter(status__in=statuses)
    if kind:
        files = files.filter(kind=_storable(kind))
    if tag:
        files = files.filter(tags__contains=[_storable(tag)])
    if name:
        files = files.filter(name__icontains=_storable(name))
    if wanted := list(ids):
        files = files.filter(pk__in=wanted)
    return files


def _storable(text: str) -> str:
    """Return what a user typed without NUL, which PostgreSQL refuses even in a comparison."""
    return text.replace("\x00", "")


def with_status(files: Iterable[FileRecord]) -> list[FileStatusView]:
    """Add queue places, progress and estimates to files, in five queries at most however many there are."""
    listed = list(files)
    open_ids = [f.pk for f in listed if f.status in (FileStatus.QUEUED, FileStatus.PROCESSING)]
    if not open_ids:
        return [FileStatusView(file, None, None, 0, None) for file in listed]
    jobs = {job.file_id: job for job in ProcessingJob.objects.filter(file__in=open_ids).annotate(now=Now())}
    queue = _Queue(places_of(jobs.values()), _workers(), estimates.rates())
    return [_status_view(file, jobs.get(file.pk), queue) for file in listed]


@dataclass(frozen=True, slots=True)
class _Queue:
    """What is known of the queue as a whole."""

    places: dict[UUID, int]
    workers: int
    rates: estimates.Rates


def _workers() -> int:
    """Return how many files can be read at a time. A worker that is busy throughout shows no sign but its leases."""
    leased = ProcessingJob.objects.filter(state=JobState.RUNNING, lease_until__gt=Now())
    return pulses.live_slots() or leased.count()


def _status_view(file: FileRecord, job: ProcessingJob | None, queue: _Queue) -> FileStatusView:
    if job is None:
        return FileStatusView(file, None, None, 0, None)
    if job.state == JobState.RUNNING:
        return _running_view(file, job, queue)
    now: datetime = job.now  # type: ignore[attr-defined]  # annotated in with_status
    retry_at = job.available_at if job.state == JobState.QUEUED and job.available_at > now else None
    place = queue.places.get(file.pk)
    left = estimates.remaining(queue.rates, file, slots=queue.workers, before=place)
    return FileStatusView(file, place, None, job.attempt, retry_at, job.cause, queue.workers, left)


def _running_view(file: FileRecord, job: ProcessingJob, queue: _Queue) -> FileStatusView:
    now: datetime = job.now  # type: ignore[attr-defined]  # annotated in with_status
    age = (now - job.heartbeat_at).total_seconds() if job.heartbeat_at else None
    progress = Progress(job.stage, job.progress_done, job.progress_total, job.progress_unit, age)
    elapsed = (now - job.started_at).total_seconds() if job.started_at else None
    left = estimates.remaining(queue.rates, file, slots=1, elapsed=elapsed)
    return FileStatusView(file, None, progress, job.attempt, None, job.cause, None, left)


def timeline(file: FileRecord) -> QuerySet[FileEvent]:
    """Return a file's history, oldest first."""
    return file.events.order_by("id")


def job_of(file: FileRecord) -> ProcessingJob | None:
    """Return a file's job, if it was ever queued."""
    return ProcessingJob.objects.filter(file=file).first()


def segments_of(file: FileRecord) -> QuerySet[FileSegment]:
    """Return a file's current segments in reading order."""
    return FileSegment.objects.filter(file=file, generation=file.generation).order_by("ordinal")


def segments_with(file: FileRecord, words: str) -> QuerySet[FileSegment]:
    """Return the current segments whose text has these words in a row, in any case."""
    return segments_of(file).filter(text__icontains=_storable(words))


def segments_at(file: FileRecord, place: dict[str, Any]) -> list[FileSegment]:
    """Return the current segments at a place: its lines, or the first segment of its page, slide or sheet."""
    rough = {key: place[key] for key in ("page", "slide", "sheet", "line", "second") if key in place}
    exact = {key: value for key, value in place.items() if key != "line_end"}
    for wanted in filter(None, (exact, rough)):
        if first := segments_of(file).filter(place__contains=wanted).first():
            return [first, *_up_to_line(file, first, place.get("line_end"))]
    return []


def _up_to_line(file: FileRecord, first: FileSegment, last_line: object) -> list[FileSegment]:
    if not isinstance(last_line, int):
        return []
    return list(segments_of(file).filter(ordinal__gt=first.ordinal, place__line__lte=last_line)[:_LONGEST_PASSAGE])


def text_of(file: FileRecord) -> Iterator[str]:
    """Yield a file's text, segment by segment; memory does not grow with the file."""
    for text in segments_of(file).values_list("text", flat=True).iterator(chunk_size=500):
        yield text + "\n\n"


def counts_by_status(user: User | AnonymousUser) -> dict[str, int]:
    """Return how many of a user's files are in each status."""
    rows: Any = files_of(user).order_by().values_list("status").annotate(n=Count("pk"))
    return dict(rows)


def bytes_used(user: User) -> int:
    """Return the bytes that a user's files take, uploads under way and the trash included."""
    return _all_of(user).aggregate(total=Sum("size"))["total"] or 0


@dataclass(frozen=True, slots=True)
class Holdings:
    """How many files a user has, uploads under way and the trash included, and how many of them are such uploads."""

    files: int
    uploads: int


def holdings(user: User) -> Holdings:
    """Return how many files and uploads under way a user has."""
    counts = _all_of(user).aggregate(files=Count("pk"), uploads=Count("pk", filter=Q(status=FileStatus.UPLOADING)))
    return Holdings(**counts)


def bytes_by_owner(owners: Iterable[UUID]) -> dict[UUID, int]:
    """Return what `bytes_used` is for each of several users, those without files left out."""
    rows = FileRecord.objects.filter(owner__in=list(owners)).order_by().values_list("owner")
    return dict(rows.annotate(total=Sum("size")))


@dataclass(frozen=True, slots=True)
class TrashSum:
    """How many files a user has in the trash, and the bytes they take."""

    files: int
    bytes: int


def trash_sum(user: User) -> TrashSum:
    """Return what a user's trash holds."""
    found = trash_of(user).order_by().aggregate(files=Count("pk"), bytes=Sum("size"))
    return TrashSum(found["files"], found["bytes"] or 0)
