"""The queue's truth: which file is to be processed next, by whom, and whether that worker is still alive.

Redis messages only say "there is work". A worker that gets one claims the next job here; a lost message, a dead worker
or an emptied Redis is noticed by `sweep`, on the database's clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Now

from files import metrics, states
from files.errors import InvalidMove, JobLost, WorkerLost
from files.faults import as_product_error
from files.hints import publish_hints, waiting_hints
from files.models import FileRecord, FileSegment, FileStatus, JobState, ProcessingJob
from orchestra.common import failpoints
from orchestra.monitoring import pulses

logger = structlog.get_logger(__name__)

SHORT_FILE_BYTES = 1024 * 1024
SWEEP_LOCK = 0x0E5BACE7
"""The database's lock of whoever counts and sends hints, so that two at once do not send them twice."""

_LONGEST_PAUSE = 300.0  # seconds
_HINTS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to process a file, until the lease ends. `attempt` fences every write."""

    job_id: UUID
    file_id: UUID
    owner_id: UUID
    attempt: int
    worker: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt ended."""

    code: str
    message: str
    hint: str = ""


def enqueue(file: FileRecord) -> ProcessingJob:
    """Queue a file for processing, in the caller's transaction, and send a hint on commit."""
    job, _ = ProcessingJob.objects.update_or_create(
        file=file,
        defaults={
            "owner_id": file.owner_id,
            "state": JobState.QUEUED,
            "stage": "",
            "failures": 0,
            "interruptions": 0,
            "excused": False,
            "cause": "",
            "queued_at": Now(),
            "available_at": Now(),
            "long_text": False,
            "progress_done": 0,
            "progress_total": 0,
            "lease_until": None,
            "finished_at": None,
            "last_error": "",
        },
    )
    transaction.on_commit(lambda: publish_hints(1))
    return job


def claim_next(worker: str, *, short_only: bool = False) -> Claim | None:
    """Take the next job, or None when nothing is due. `short_only`: one of a small file not yet seen to be long.

    Whoever has fewest files running comes first, then whoever waits longest: one user's thousand files do not hold up
    another's one. The attempt is counted before any work, so that a file that kills its worker cannot loop.
    """
    with transaction.atomic():
        job = _next_due(short_only=short_only)
        if job is None:
            return None
        ProcessingJob.objects.filter(pk=job.pk).update(
            state=JobState.RUNNING,
            attempt=F("attempt") + 1,
            worker=worker,
            excused=False,
            stage="",
            started_at=Now(),
            heartbeat_at=Now(),
            lease_until=Now() + _lease(),
            progress_done=0,
            progress_total=0,
            timings={},
        )
        states.move(job.file_id, FileStatus.PROCESSING, "started", "A worker began to read the file.")
        failpoints.reach("job.claiming")
    failpoints.reach("job.claimed")
    return Claim(job.pk, job.file_id, job.owner_id, job.attempt + 1, worker)


def _lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def _next_due(*, short_only: bool) -> ProcessingJob | None:
    # What was lost once is not begun in between: it could take a long job down with it.
    short = Q(long_text=False, failures=0, file__size__lte=SHORT_FILE_BYTES) if short_only else Q()
    return (
        ProcessingJob.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(short, state=JobState.QUEUED, available_at__lte=Now())
        .annotate(busy=_running_of_owner())
        .order_by("busy", "queued_at", "pk")
        .first()
    )


def _running_of_owner() -> Case | Value:
    """Return how many files of a job's owner are being processed; few owners have any, so they are asked for first."""
    running = ProcessingJob.objects.filter(state=JobState.RUNNING).order_by().values("owner").annotate(n=Count("pk"))
    known = [When(owner=row["owner"], then=Value(row["n"])) for row in running]
    return Case(*known, default=Value(0)) if known else Value(0)


def _owned(claim: Claim) -> Q:
    return Q(pk=claim.job_id, attempt=claim.attempt, state=JobState.RUNNING)


def heartbeat(claim: Claim) -> bool:
    """Extend the lease; False when the job is no longer ours."""
    failpoints.reach("job.beating")
    return bool(ProcessingJob.objects.filter(_owned(claim)).update(heartbeat_at=Now(), lease_until=Now() + _lease()))


def report(claim: Claim, stage: str, done: int, total: int, unit: str) -> None:
    """Record progress and announce it. Raises JobLost when the job is no longer ours."""
    with transaction.atomic():
        updated = ProcessingJob.objects.filter(_owned(claim)).update(
            stage=stage, progress_done=done, progress_total=total, progress_unit=unit
        )
        if not updated:
            raise JobLost
        states.touch(claim.file_id)


@contextmanager
def fenced(claim: Claim) -> Iterator[ProcessingJob]:
    """Open a transaction in which the job is certainly ours; raises JobLost otherwise.

    Whatever a stage writes for others to see, it writes inside.
    """
    with transaction.atomic():
        job = ProcessingJob.objects.select_for_update().filter(_owned(claim)).first()
        if job is None:
            raise JobLost
        yield job


def finish(claim: Claim, timings: dict[str, float]) -> None:
    """End a job whose stages all ran: `partial` when something could not be read, `ready` otherwise."""
    failpoints.reach("job.finishing")
    with fenced(claim) as job:
        file = FileRecord.objects.get(pk=claim.file_id)
        _close(job, JobState.DONE, timings)
        if file.warnings:
            message = f"Read in part: {len(file.warnings)} things could not be read."
            states.move(file.pk, FileStatus.PARTIAL, "partial", message, **_NO_ERROR)
        else:
            states.move(file.pk, FileStatus.READY, "ready", "The file can be searched.", **_NO_ERROR)
        outcome = "partial" if file.warnings else "ready"
        transaction.on_commit(lambda: metrics.processed.add(file.media_type, outcome))
    failpoints.reach("job.finished")


_NO_ERROR = {"error_code": "", "error_message": "", "error_hint": ""}


def _close(job: ProcessingJob, state: JobState, timings: dict[str, float] | None = None) -> None:
    ProcessingJob.objects.filter(pk=job.pk).update(
        state=state, finished_at=Now(), lease_until=None, stage="", timings=timings or job.timings
    )


def fail(claim: Claim, failure: Failure) -> None:
    """End a job for good: trying again would end the same way."""
    with fenced(claim) as job:
        _fail(job, failure)


def _fail(job: ProcessingJob, failure: Failure) -> None:
    ProcessingJob.objects.filter(pk=job.pk).update(last_error=failure.message, cause=failure.code)
    _close(job, JobState.DONE)
    failed = states.move(
        job.file_id,
        FileStatus.FAILED,
        failure.code,
        failure.message,
        error_code=failure.code,
        error_message=failure.message,
        error_hint=failure.hint,
    )
    _forget_unfinished(failed)
    transaction.on_commit(lambda: metrics.processed.add(failed.media_type, "failed"))


def _forget_unfinished(file: FileRecord) -> None:
    """Remove what an attempt stored that did not come to its switch; the fence keeps it from storing more."""
    FileSegment.objects.filter(file=file).exclude(generation=file.generation).delete()


def retry_later(claim: Claim, failure: Failure, *, counted: bool, at_once: bool = False) -> None:
    """Hand a job back, to be tried again after a growing pause, or `at_once` where nothing is to be waited for.

    After JOB_MAX_ATTEMPTS counted failures the file fails with the reason. Faults that say nothing about the file are
    not `counted`: they have a budget of their own, JOB_MAX_INTERRUPTIONS.
    """
    with fenced(claim) as job:
        _again_or_fail(job, failure, counted=counted, at_once=at_once, message=f"{failure.message} It is tried again.")


def _again_or_fail(job: ProcessingJob, failure: Failure, *, counted: bool, at_once: bool, message: str) -> None:
    job.failures += int(counted)
    job.interruptions += int(not counted)
    if job.failures >= settings.JOB_MAX_ATTEMPTS or job.interruptions > settings.JOB_MAX_INTERRUPTIONS:
        _fail(job, failure)
        return
    _requeue(job, timedelta(0) if at_once else _pause(job, counted=counted), failure.code, message)


def _pause(job: ProcessingJob, *, counted: bool) -> timedelta:
    """Return a pause that doubles with each failure, of random length so that many jobs do not come back at once."""
    seconds = 5.0 * 2**job.failures if counted else 2.0 ** min(job.interruptions, 10)
    return timedelta(seconds=min(_LONGEST_PAUSE, seconds) * random.uniform(0.5, 1.0))  # noqa: S311 - no secret


def _requeue(job: ProcessingJob, delay: timedelta, code: str, message: str) -> None:
    ProcessingJob.objects.filter(pk=job.pk).update(
        state=JobState.QUEUED,
        failures=job.failures,
        interruptions=job.interruptions,
        cause=code,
        stage="",
        lease_until=None,
        available_at=Now() + delay,
        last_error=message,
    )
    states.move(job.file_id, FileStatus.QUEUED, code if not delay else "will_retry", message)
    if not delay:
        transaction.on_commit(lambda: publish_hints(1))


def release(claim: Claim) -> None:
    """Hand a job back untouched, because the worker is being stopped."""
    with fenced(claim) as job:
        _requeue(job, timedelta(0), "released", "The worker was stopped; another one takes over.")


def set_aside(claim: Claim) -> None:
    """Hand back a job that was begun in between and turned out to be long."""
    with fenced(claim) as job:
        ProcessingJob.objects.filter(pk=job.pk).update(long_text=True)
        _requeue(job, timedelta(0), "set_aside", "Its text is long: it waits for a worker of its own.")


def cancel(file: FileRecord) -> None:
    """Stop a file's processing, or take it out of the queue. The worker notices at its next report."""
    with transaction.atomic():
        # Job before file, as everywhere, so that two transactions cannot wait for each other.
        job = ProcessingJob.objects.select_for_update().filter(file=file).first()
        cancelled = states.move(file.pk, FileStatus.CANCELLED, "cancelled", "Processing was cancelled.")
        if job is not None:
            _close(job, JobState.CANCELLED)
        _forget_unfinished(cancelled)


def retry(file: FileRecord) -> None:
    """Process a file again from the start."""
    with transaction.atomic():
        ProcessingJob.objects.select_for_update().filter(file=file).first()
        current = FileRecord.objects.filter(pk=file.pk).values_list("status", flat=True).first()
        if current not in states.TERMINAL:
            raise InvalidMove(f"A file that is {current} cannot be processed again now.", status=current)
        moved = states.move(file.pk, FileStatus.QUEUED, "retried", "Processing was asked for again.", **_NO_ERROR)
        enqueue(moved)


def sweep() -> dict[str, int]:
    """Put right what died silently: jobs of lost workers start again, lost hints are sent again.

    Return how many of each, for the log and the metrics.
    """
    lost = 0
    expired = ProcessingJob.objects.filter(state=JobState.RUNNING, lease_until__lt=Now()).values_list("pk", flat=True)
    for job_id in expired:
        lost += _rescue(job_id)
    missing = _send_missing_hints()
    if lost or missing:
        logger.info("swept", lost_workers=lost, hints_sent=missing)
        metrics.swept.add("lost", amount=lost)
        metrics.swept.add("hints", amount=missing)
    return {"lost": lost, "hints": missing}


def end_leases(node: str, living: Callable[[], set[int]]) -> int:
    """End the leases that processes of a worker hold and that are not `living`; return how many jobs that were.

    Who lives is asked after who holds a lease: a process that begins in between is not taken for a dead one.
    """
    running = ProcessingJob.objects.filter(state=JobState.RUNNING, worker__startswith=pulses.worker_name(node, ""))
    holders = set(running.values_list("worker", flat=True))
    if not holders:
        return 0
    alive = {pulses.worker_name(node, pid) for pid in living()}
    ended = Now() - timedelta(seconds=1)
    return running.filter(worker__in=holders - alive).update(lease_until=ended)


def _send_missing_hints() -> int:
    """Send one hint per due job, counting those still in Redis: nothing is lost and nothing piles up."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SWEEP_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        due = ProcessingJob.objects.filter(state=JobState.QUEUED, available_at__lt=Now()).count()
        missing = max(0, due - waiting_hints()) if due else 0
        publish_hints(min(missing, _HINTS_AT_ONCE))
    return missing


def _rescue(job_id: UUID) -> bool:
    with transaction.atomic():
        job = (
            ProcessingJob.objects.select_for_update(skip_locked=True)
            .filter(pk=job_id, state=JobState.RUNNING, lease_until__lt=Now())
            .first()
        )
        if job is None:
            return False
        failpoints.reach("sweep.rescuing")
        counted = _may_have_killed(job)
        if counted:
            _beside(job).filter(started_at__lt=job.started_at).update(excused=True)
        message = "The worker that read this file was lost; another one starts again."
        _again_or_fail(job, describe(WorkerLost()), counted=counted, at_once=True, message=message)
    return True


def _may_have_killed(job: ProcessingJob) -> bool:
    """Tell whether a lost worker may be this file's doing: it was the last one begun, and the worker's parent lives.

    A file is read by one process of a worker, which does short jobs between two steps of a long one. A file that kills
    its process takes neither the parent nor other machines along: what ended those says nothing about the file.
    """
    if job.excused or _beside(job).filter(started_at__gt=job.started_at).exists():
        return False
    return job.started_at is None or not pulses.gone_since(pulses.parent_of(job.worker), job.started_at)


def _beside(job: ProcessingJob) -> QuerySet[ProcessingJob]:
    """Return the other jobs that the same process had begun."""
    return ProcessingJob.objects.filter(state=JobState.RUNNING, worker=job.worker).exclude(pk=job.pk)


def describe(error: Exception) -> Failure:
    """Return what a person is told about an exception of a stage."""
    known = as_product_error(error)
    return Failure(known.code, known.message, known.hint)
