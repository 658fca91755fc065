"""Bugs of the queue: each breaks one promise about jobs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.db.models import Value

from files.errors import JobLost
from files.jobs import Claim, Failure
from files.models import ProcessingJob
from orchestra.common.errors import OrchestraError
from tests.faults.seeded.apps import Patch


def lost_hints_stay_lost(patch: Patch) -> None:
    """J1: the sweeper sends no hints for jobs whose hint Redis forgot."""
    patch("files.jobs._send_missing_hints", lambda: 0)


def lost_workers_stay_lost(patch: Patch) -> None:
    """J2: nobody takes a job from a worker whose lease ended."""
    patch("files.jobs._rescue", lambda job_id: False)


def no_fence(patch: Patch) -> None:
    """J3: a worker that was overtaken still writes."""

    @contextmanager
    def open_to_all(claim: Claim) -> Iterator[ProcessingJob]:
        with transaction.atomic():
            yield ProcessingJob.objects.get(pk=claim.job_id)

    patch("files.jobs.fenced", open_to_all)


def poison_is_not_counted(patch: Patch) -> None:
    """J4: a file that kills its worker is tried for ever."""
    patch("files.jobs._may_have_killed", lambda job: False)


def bystanders_are_blamed(patch: Patch) -> None:
    """J4: a long job pays for the short one that killed their worker."""
    patch("files.jobs._may_have_killed", lambda job: True)


def the_clock_runs_slowly(patch: Patch) -> None:
    """J5: a reader gets two hundred times the time that it is allowed."""
    from files.extraction import sandbox

    wait = sandbox._wait_readable

    def waited(sock: Any, seconds: float) -> bool:
        return wait(sock, 200 * seconds)

    patch("files.extraction.sandbox._wait_readable", waited)


def children_live_for_ever(patch: Patch) -> None:
    """J10: a worker's processes are never replaced."""
    conf = SimpleNamespace(worker_max_tasks_per_child=None, worker_max_memory_per_child=None)
    patch("celery_app.app", SimpleNamespace(conf=conf))


def poison_kills_its_worker(patch: Patch) -> None:
    """J4, and no bug: to read a file whose name says so kills the worker's process, as the kernel does for memory."""
    from files.extraction_stage import ExtractStage

    run = ExtractStage.run

    def killed(stage: ExtractStage, context: Any) -> None:
        if context.file.name.startswith("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        run(stage, context)

    patch("files.extraction_stage.ExtractStage.run", killed)


def leftovers_of_a_cancelled_attempt(patch: Patch) -> None:
    """J6: what a cancelled attempt had stored stays."""
    patch("files.jobs._forget_unfinished", lambda file: None)


def first_come_first_served(patch: Patch) -> None:
    """J7: one user's many files hold up another's one."""
    patch("files.jobs._running_of_owner", lambda: Value(0))


def faults_of_others_cost_attempts(patch: Patch) -> None:
    """J8: a store that is away for a moment uses up a file's tries."""
    patch("files.pipeline.as_product_error", lambda error: OrchestraError(str(error)))


def a_stopped_worker_keeps_its_job(patch: Patch) -> None:
    """J9: a worker that is stopped lets its lease run out."""
    patch("files.jobs.release", lambda claim: None)


def the_database_is_not_waited_for(patch: Patch) -> None:
    """J11: a restart of PostgreSQL costs a job its lease."""

    def refused(claim: Claim, failure: Failure, **_: Any) -> None:
        raise JobLost

    patch("files.pipeline._database_is_back", lambda patience: False)
    patch("files.jobs.retry_later", refused)


def the_local_clock_decides(patch: Patch) -> None:
    """J12: leases are set by the worker's own clock, which is two hours behind."""
    from datetime import timedelta

    from django.utils import timezone

    patch("files.jobs.Now", lambda: Value(timezone.now() - timedelta(hours=2)))
