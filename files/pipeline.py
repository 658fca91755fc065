"""Runs a claimed job through the stages of settings.FILE_PIPELINE.

The list is read top to bottom, like MIDDLEWARE; this module knows no stage by name. Before it: `files.jobs.claim_next`;
after it: `files.jobs.finish`.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import ClassVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils.module_loading import import_string

from files import jobs
from files.errors import FileNotFound, JobLost
from files.jobs import Claim
from files.models import FileRecord, ProcessingJob
from orchestra.common.errors import OrchestraError

logger = structlog.get_logger(__name__)

_REPORT_EVERY = 0.5  # seconds between two progress rows of one stage


class StageContext:
    """What a stage gets: the file, a way to report, and a fence for its writes."""

    def __init__(self, file: FileRecord, claim: Claim, stage: str, lost: threading.Event) -> None:
        self.file = file
        self.claim = claim
        self._stage = stage
        self._lost = lost
        self._reported = 0.0

    def report(self, done: int, total: int, unit: str) -> None:
        """Tell how far the stage is (`total` 0 when unknown). Raises JobLost once the job belongs to somebody else."""
        if self._lost.is_set():
            raise JobLost
        now = time.monotonic()
        if now - self._reported >= _REPORT_EVERY:
            self._reported = now
            jobs.report(self.claim, self._stage, done, total, unit)

    def fenced(self) -> AbstractContextManager[ProcessingJob]:
        """Open the transaction in which the stage makes its result visible; raises JobLost when it came too late."""
        return jobs.fenced(self.claim)


class Stage(ABC):
    """One step of processing. Repeatable: running it again replaces what an earlier run stored."""

    name: ClassVar[str]

    @abstractmethod
    def run(self, context: StageContext) -> None:
        """Do the step. Raises OrchestraError for what is wrong with the file, JobLost through `context`."""

    @abstractmethod
    def discard(self, file_id: UUID) -> None:
        """Remove everything that this stage stored for a file, in the caller's transaction."""


def stages() -> list[Stage]:
    """Return the configured stages, in order."""
    return [import_string(path)() for path in settings.FILE_PIPELINE]


def work(worker: str) -> bool:
    """Claim one job and bring it to an end. Return whether there was one."""
    claim = jobs.claim_next(worker)
    if claim is None:
        return False
    ids = {"file_id": str(claim.file_id), "job_id": str(claim.job_id), "user_id": str(claim.owner_id)}
    with structlog.contextvars.bound_contextvars(**ids, attempt=claim.attempt):
        _run_and_settle(claim)
    return True


def _run_and_settle(claim: Claim) -> None:
    """Run the stages and record how it ended: the place where a job ends, whatever happened."""
    try:
        timings = run(claim)
        jobs.finish(claim, timings)
        logger.info("file processed", seconds=timings)
    except (JobLost, FileNotFound):
        logger.info("job given up: cancelled, deleted or taken over")
    except OrchestraError as exc:
        logger.info("file failed", code=exc.code, reason=exc.message)
        _settle(claim, exc, permanent=not exc.transient)
    except (OperationalError, InterfaceError) as exc:
        logger.warning("database away during a job", error=str(exc))
        _settle(claim, exc, permanent=False)
    except SystemExit:
        # The worker is being stopped (soft shutdown): hand the job back rather than let its lease run out.
        with suppress(JobLost, DatabaseError):
            jobs.release(claim)
        raise
    except Exception as exc:  # a job ends here: whatever broke is recorded, and the worker lives on
        logger.exception("stage broke")
        _settle(claim, exc, permanent=False)


def _settle(claim: Claim, error: Exception, *, permanent: bool) -> None:
    failure = jobs.describe(error)
    close_old_connections()
    # When even this fails, the lease runs out and the sweeper takes over.
    with suppress(JobLost, FileNotFound, DatabaseError):
        if permanent:
            jobs.fail(claim, failure)
        else:
            # Only the database's absence says nothing at all about the file: everything else may be the file's doing.
            jobs.retry_later(claim, failure, counted=not isinstance(error, OperationalError | InterfaceError))


def run(claim: Claim) -> dict[str, float]:
    """Run every stage under a heartbeat; return seconds per stage. Raises what a stage raises."""
    timings: dict[str, float] = {}
    with _heartbeat(claim) as lost:
        for stage in stages():
            file = FileRecord.objects.filter(pk=claim.file_id).first()
            if file is None:
                raise FileNotFound
            context = StageContext(file, claim, stage.name, lost)
            jobs.report(claim, stage.name, 0, 0, "")
            began = time.monotonic()
            stage.run(context)
            timings[stage.name] = round(time.monotonic() - began, 3)
    return timings


@contextmanager
def _heartbeat(claim: Claim) -> Iterator[threading.Event]:
    """Extend the lease from a thread while the block runs; the event is set when the job is no longer ours."""
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
            except DatabaseError as exc:
                # The next beat may succeed before the lease ends; if none does, the sweeper decides.
                logger.warning("heartbeat failed", error=str(exc))
                close_old_connections()
    finally:
        connection.close()
