"""Runs a claimed job through the stages of settings.FILE_PIPELINE.

The list is read top to bottom, like MIDDLEWARE; this module knows no stage by name. Before it: `files.jobs.claim_next`;
after it: `files.jobs.finish`.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from typing import ClassVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from django.utils.module_loading import import_string

from files import jobs, metrics
from files.breaker import Breaker
from files.errors import FileNotFound, JobLost
from files.faults import DATABASE_AWAY, as_product_error
from files.jobs import Claim
from files.models import FileRecord, ProcessingJob
from orchestra.common.errors import OrchestraError
from orchestra.monitoring import pulses

logger = structlog.get_logger(__name__)
breaker = Breaker()

_REPORT_EVERY = 0.5  # seconds between two progress rows of one stage
_LONG_AFTER = 1.5  # seconds after which a job lets short ones in between
_SHORT_FOR = 3.0  # seconds for these at a time; less than a cancelled job may take to stop
_LONG_TEXT = 60_000  # characters: some seconds of embedding
_DATABASE_LOOKS = 0.5  # seconds between two tries to reach a database that is away
_IDLE_PATIENCE = 60.0  # seconds that a worker without a job waits for the database
_JOB_PATIENCE = 20.0  # seconds that one with a job does; its lease ends soon after


class StageContext:
    """What a stage gets: the file, a way to report, and a fence for its writes."""

    file: FileRecord
    """The file's record; while the stage runs ahead, as the stage before describes it so far."""

    complete = False
    """Whether the stage before has ended. Until then the stage runs ahead, and only a part of the result is there."""

    def __init__(
        self, claim: Claim, stage: str, lost: threading.Event, between: _Between, following: _StageRun | None
    ) -> None:
        self.claim = claim
        self._stage = stage
        self._lost = lost
        self._between = between
        self._following = following
        self._reported = 0.0

    def report(self, done: int, total: int, unit: str) -> None:
        """Tell how far the stage is (`total` 0 when unknown). Raises JobLost once the job belongs to somebody else.

        What runs ahead is not told: the page says what the stage before does.
        """
        if self._lost.is_set():
            raise JobLost
        if not self.complete:
            return
        now = time.monotonic()
        if now - self._reported >= _REPORT_EVERY:
            self._reported = now
            jobs.report(self.claim, self._stage, done, total, unit)
            self._between.take()

    def step_ahead(self) -> bool:
        """Let the next stage do a step on what is stored so far, while this one waits; return whether there was one.

        `self.file` describes what is stored: the object's fields are set, not yet the row's.
        """
        return self._following is not None and self._following.step_ahead(self.file)

    def fenced(self) -> AbstractContextManager[ProcessingJob]:
        """Open the transaction in which the stage makes its result visible; raises JobLost when it came too late."""
        return jobs.fenced(self.claim)


class _Between:
    """What a worker does between two steps of a long job: short jobs that wait, so that none waits behind a book."""

    def __init__(self, worker: str, *, allowed: bool) -> None:
        self._worker = worker
        self._allowed = allowed
        self._began = time.monotonic()
        self.seconds = 0.0

    def take(self) -> None:
        """Process short jobs for a while, once the long one has been under way for a while."""
        began = time.monotonic()
        if not self._allowed or began - self._began < _LONG_AFTER:
            return
        while time.monotonic() - began < _SHORT_FOR and (claim := jobs.claim_next(self._worker, short_only=True)):
            _process(claim, alone=False)
        self.seconds += time.monotonic() - began


class _TurnedOutLongError(Exception):
    """A job that was begun between two steps of another one has more text than such a job may have."""


class Stage(ABC):
    """One step of processing. Repeatable: running it again replaces what an earlier run stored."""

    name: ClassVar[str]

    @abstractmethod
    def run(self, context: StageContext) -> None:
        """Do the step. Raises OrchestraError for what is wrong with the file, JobLost through `context`."""

    @abstractmethod
    def discard(self, file_id: UUID) -> None:
        """Remove everything that this stage stored for a file, in the caller's transaction."""

    def hide(self, file_id: UUID) -> None:  # noqa: B027  # a stage whose results nobody finds by themselves hides none
        """Put what this stage stored for a file where nobody finds it, in the caller's transaction."""

    def show(self, file_id: UUID) -> None:  # noqa: B027
        """Put it back as it was, in the caller's transaction."""

    def steps(self, context: StageContext) -> Generator[bool]:
        """Do what `run` does in steps of some seconds: the first ones can be taken while the stage before waits.

        Yield True after a step, and False, while the context is not complete, where there is nothing to do so far.
        A stage that needs the whole result of the one before it leaves this as it is.
        """
        while not context.complete:
            yield False
        self.run(context)


class _StageRun:
    """One stage of one job: steps ahead, while the stage before waits for something, and the rest at its turn."""

    def __init__(self, stage: Stage, context: StageContext) -> None:
        self.name = stage.name
        self._stage = stage
        self._context = context
        self._steps = stage.steps(context)
        self._goes_ahead = True

    def step_ahead(self, file: FileRecord) -> bool:
        """Take a step on what the stage before has stored so far; return whether there was one to take."""
        if not self._goes_ahead:
            return False
        self._context.file = file
        try:
            return next(self._steps, False)
        except (JobLost, FileNotFound):
            raise
        except OrchestraError as exc:
            # The stage before goes on: what is wrong is told at this stage's turn, as if it had not gone ahead.
            logger.info("nothing more is done ahead", stage=self.name, code=exc.code)
            self._goes_ahead = False
            self._steps = self._stage.steps(self._context)
            return False

    def finish(self, file: FileRecord) -> None:
        """Do all that is left, now that the stage before has ended."""
        self._context.file, self._context.complete = file, True
        for _ in self._steps:
            pass

    def close(self) -> None:
        """Let go of what a stage that did not end holds."""
        self._steps.close()


def stages() -> list[Stage]:
    """Return the configured stages, in order."""
    return [import_string(path)() for path in settings.FILE_PIPELINE]


def work(worker: str) -> bool:
    """Claim one job and bring it to an end. Return whether there was one, and it could be taken now."""
    claim = _claim(worker) if breaker.allows() else None
    if claim is None:
        return False
    _process(claim, alone=True)
    return True


def _claim(worker: str) -> Claim | None:
    """Claim a job; a database that restarts is waited for, so that the worker goes on the moment it is back."""
    try:
        return jobs.claim_next(worker)
    except DATABASE_AWAY as exc:
        logger.warning("database away", error=str(exc))
        # When it stays away, the hint is lost, and the sweeper sends another one.
        return jobs.claim_next(worker) if _database_is_back(_IDLE_PATIENCE) else None


def _database_is_back(patience: float) -> bool:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        connection.close()
        with suppress(*DATABASE_AWAY), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return True
        time.sleep(_DATABASE_LOOKS)
    return False


def _process(claim: Claim, *, alone: bool) -> None:
    ids = {"file_id": str(claim.file_id), "job_id": str(claim.job_id), "user_id": str(claim.owner_id)}
    with structlog.contextvars.bound_contextvars(**ids, attempt=claim.attempt):
        _run_and_settle(claim, alone=alone)


def _run_and_settle(claim: Claim, *, alone: bool) -> None:
    """Run the stages and record how it ended: the place where a job ends, whatever happened."""
    try:
        timings = run(claim, alone=alone)
        jobs.finish(claim, timings)
        logger.info("file processed", seconds=timings)
        breaker.note_work()
    except _TurnedOutLongError:
        with suppress(JobLost, FileNotFound):
            jobs.set_aside(claim)
    except (JobLost, FileNotFound):
        logger.info("job given up: cancelled, deleted or taken over")
    except SystemExit:
        # The worker is being stopped (soft shutdown): hand the job back rather than let its lease run out.
        with suppress(JobLost, DatabaseError):
            jobs.release(claim)
        raise
    except Exception as exc:  # noqa: BLE001  # a job ends here: whatever broke is recorded, and the worker lives on
        _settle(claim, exc, alone=alone)


def _settle(claim: Claim, error: Exception, *, alone: bool) -> None:
    """Record an attempt that broke: for good where the file is at fault, else to be tried again."""
    known, failure = as_product_error(error), jobs.describe(error)
    _log_end(error, known)
    if isinstance(error, DATABASE_AWAY):
        _database_is_back(_JOB_PATIENCE)
    elif alone:  # the job around this one reads its text over the same connection
        close_old_connections()
    _tell_breaker(error, known)
    # When even this fails, the lease runs out and the sweeper takes over.
    with suppress(JobLost, FileNotFound, DatabaseError):
        if isinstance(error, OrchestraError) and not known.transient:
            jobs.fail(claim, failure)
        else:
            # What is not known to be somebody else's doing may be the file's, and counts against it.
            at_once = isinstance(error, DATABASE_AWAY)
            jobs.retry_later(claim, failure, counted=not known.transient, at_once=at_once)


def _tell_breaker(error: Exception, known: OrchestraError) -> None:
    if not known.transient:
        breaker.note_work()
    elif not isinstance(error, DATABASE_AWAY):  # that is waited for
        breaker.note_fault(known.code)


def _log_end(error: Exception, known: OrchestraError) -> None:
    if known.transient:
        logger.warning("attempt ended by a fault that is not the file's", code=known.code, error=str(error))
    elif isinstance(error, OrchestraError):
        logger.info("file failed", code=known.code, reason=known.message)
    else:
        logger.error("stage broke", exc_info=error)


def run(claim: Claim, *, alone: bool = True) -> dict[str, float]:
    """Run every stage under a heartbeat; return seconds per stage. Raises what a stage raises.

    A job that is not `alone` runs between two steps of another one, and gives up when its text turns out to be long.
    """
    timings: dict[str, float] = {}
    between = _Between(claim.worker, allowed=alone)
    with _heartbeat(claim) as lost, _line_of(claim, lost, between, ahead=alone) as line:
        for stage in line:
            file = FileRecord.objects.filter(pk=claim.file_id).first()
            if file is None:
                raise FileNotFound
            if not alone and timings and file.character_count > _LONG_TEXT:
                raise _TurnedOutLongError
            jobs.report(claim, stage.name, 0, 0, "")
            timings[stage.name] = _finish(stage, file, between)
    return timings


def _finish(stage: _StageRun, file: FileRecord, between: _Between) -> float:
    """Bring a stage to its end, whichever that is; return its seconds, without those of jobs done in between."""
    with metrics.StageTimer(stage.name, lambda: between.seconds) as timer:
        stage.finish(file)
    return round(timer.seconds, 3)


@contextmanager
def _line_of(claim: Claim, lost: threading.Event, between: _Between, *, ahead: bool) -> Iterator[list[_StageRun]]:
    """Give the stages of a job, in order, each of which knows the next one where that may go `ahead`."""
    line: list[_StageRun] = []
    with ExitStack() as closed_at_the_end:
        for stage in reversed(stages()):
            context = StageContext(claim, stage.name, lost, between, line[0] if line and ahead else None)
            line.insert(0, closed_at_the_end.enter_context(closing(_StageRun(stage, context))))
        yield line


@contextmanager
def _heartbeat(claim: Claim) -> Iterator[threading.Event]:
    """Extend the lease from a thread while the block runs; the event is set when the job is no longer ours.

    The thread also sweeps: while every process of every worker has a job, no task could.
    """
    lost, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=_beat, args=(claim, lost, done), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        done.set()
        thread.join(timeout=settings.JOB_HEARTBEAT_SECONDS)


def _beat(claim: Claim, lost: threading.Event, done: threading.Event) -> None:
    try:
        while not done.wait(settings.JOB_HEARTBEAT_SECONDS):
            try:
                if not jobs.heartbeat(claim):
                    lost.set()
                    return
                pulses.keep(pulses.parent_of(claim.worker))
                jobs.sweep()
            except DatabaseError as exc:
                # The next beat may succeed before the lease ends; if none does, the sweeper decides.
                logger.warning("heartbeat failed", error=str(exc))
                close_old_connections()
    finally:
        connection.close()
