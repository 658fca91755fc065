"""The promises about jobs J1 to J12, each with a seeded bug that its check notices.

The checks run in this process, on the real database: what real processes do when they are killed is in
`test_jobs_under_fire.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

import celery_app
from files import jobs, pipeline
from files.errors import ConnectionLost, JobLost
from files.extraction import registry
from files.extraction.base import Source
from files.extraction.errors import TimeLimit
from files.extraction.limits import Limits
from files.extraction.sandbox import extract_in_sandbox
from files.jobs import Claim
from files.models import FileRecord, FileSegment, JobState, ProcessingJob
from files.pipeline import StageContext
from orchestra.accounts.models import User
from tests.faults.seeded.apps import seed

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Scene:
    """Two users, a maker of files, what was sent to Redis."""

    alice: User
    bob: User
    make: Callable[..., FileRecord]
    hints: list[int]
    patch: pytest.MonkeyPatch
    folder: Path

    def claimed(self, worker: str = "celery@a/1") -> Claim:
        claim = jobs.claim_next(worker)
        assert claim is not None
        return claim

    def end_leases(self) -> None:
        ProcessingJob.objects.filter(state=JobState.RUNNING).update(lease_until=Now() - timedelta(seconds=1))

    def work_with(self, script: Callable[[StageContext], None]) -> None:
        """Run the next job with a pipeline whose first stage does what the script says."""
        self.patch.setattr("files.extraction_stage.ExtractStage.run", lambda _, context: script(context))
        pipeline.work("celery@a/1")


@pytest.fixture
def scene(alice: User, bob: User, make_file: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    sent: list[int] = []
    monkeypatch.setattr(jobs, "publish_hints", sent.append)
    monkeypatch.setattr(jobs, "waiting_hints", lambda: 0)
    monkeypatch.setattr(pipeline, "_DATABASE_LOOKS", 0.01)
    return Scene(alice, bob, make_file, sent, monkeypatch, tmp_path)


def job() -> ProcessingJob:
    return ProcessingJob.objects.get()


def j1_a_hint_that_redis_lost_is_sent_again(scene: Scene) -> None:
    for number in range(3):
        scene.make(scene.alice, f"text {number}".encode())
    scene.hints.clear()
    jobs.sweep()
    assert sum(scene.hints) == 3


def j2_a_dead_workers_job_starts_again(scene: Scene) -> None:
    file = scene.make(scene.alice)
    scene.claimed()
    scene.end_leases()
    jobs.sweep()
    assert scene.claimed("celery@b/1").file_id == file.pk


def j3_an_overtaken_worker_changes_nothing(scene: Scene) -> None:
    scene.make(scene.alice)
    zombie = scene.claimed()
    scene.end_leases()
    jobs.sweep()
    scene.claimed("celery@b/1")
    with pytest.raises(JobLost):
        jobs.finish(zombie, {})
    assert FileRecord.objects.get().status == "processing"


def j4_a_poison_file_fails_after_three_attempts(scene: Scene) -> None:
    file = scene.make(scene.alice)
    for _ in range(3):
        scene.claimed()
        scene.end_leases()
        jobs.sweep()
    file.refresh_from_db()
    assert (file.status, file.error_code) == ("failed", "worker_lost")


def j4_a_long_job_does_not_pay_for_a_short_one(scene: Scene) -> None:
    book, note = scene.make(scene.alice, b"book"), scene.make(scene.alice, b"note")
    for file, earlier in ((book, 60), (note, 1)):
        scene.claimed()
        ProcessingJob.objects.filter(file=file).update(started_at=Now() - timedelta(seconds=earlier))
    scene.end_leases()
    jobs.sweep()
    counted = dict(ProcessingJob.objects.values_list("file_id", "failures"))
    assert counted == {book.pk: 0, note.pk: 1}


def j5_a_reader_that_only_waits_is_ended(scene: Scene) -> None:
    line = registry.Format("", ("x-test/misbehaving",), ("misbehaving.Misbehaving",), package="tests.files.extraction")
    scene.patch.setattr(registry, "FORMATS", [*registry.FORMATS, line])
    path = scene.folder / "waits"
    path.write_text("nap")  # for longer than it may, and not for ever: it is ended, or comes to its end
    with pytest.raises(TimeLimit):
        list(extract_in_sandbox(Source(path, "waits", "x-test/misbehaving"), Limits(wall_seconds=0.5)))


def j6_nothing_is_left_of_a_cancelled_attempt(scene: Scene) -> None:
    file = scene.make(scene.alice)

    def script(context: StageContext) -> None:
        with context.fenced():
            FileSegment.objects.create(file=file, generation=1, ordinal=0, kind="paragraph", text="half of it")
        jobs.cancel(file)
        with pytest.raises(JobLost), context.fenced():
            pytest.fail("the fence let a cancelled job in")
        raise JobLost

    scene.work_with(script)
    assert not FileSegment.objects.exists()
    assert FileRecord.objects.get().status == "cancelled"


def j7_the_one_file_of_a_user_does_not_wait_behind_anothers_many(scene: Scene) -> None:
    for number in range(10):
        scene.make(scene.alice, f"text {number}".encode())
    only = scene.make(scene.bob, b"only one")
    assert only.pk in [scene.claimed(f"celery@a/{process}").file_id for process in range(2)]


def j8_a_store_that_is_away_costs_no_attempt(scene: Scene) -> None:
    scene.make(scene.alice)

    def away(_: StageContext) -> None:
        raise ConnectionLost

    for _ in range(4):
        scene.work_with(away)
        ProcessingJob.objects.update(available_at=Now())
    assert (job().state, job().failures, job().interruptions) == (JobState.QUEUED, 0, 4)


def j9_a_stopped_worker_hands_its_job_back(scene: Scene) -> None:
    scene.make(scene.alice)

    def stopped(_: StageContext) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        scene.work_with(stopped)
    assert (job().state, job().failures) == (JobState.QUEUED, 0)


def j10_a_process_that_has_done_much_is_replaced(scene: Scene) -> None:
    conf = celery_app.app.conf
    assert 0 < (conf.worker_max_tasks_per_child or 0) <= 1_000
    assert 0 < (conf.worker_max_memory_per_child or 0) <= 2_000_000  # KiB


def j11_a_job_that_a_restart_of_the_database_broke_is_due_at_once(scene: Scene) -> None:
    scene.make(scene.alice)

    def cut(_: StageContext) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    scene.work_with(cut)
    connection.close()  # where the product has not done so
    found = ProcessingJob.objects.annotate(now=Now()).get()
    assert (found.state, found.failures) == (JobState.QUEUED, 0)
    assert found.available_at <= found.now


def j12_a_lease_is_set_by_the_databases_clock(scene: Scene) -> None:
    scene.make(scene.alice)
    scene.claimed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT lease_until - clock_timestamp() FROM files_processingjob")
        assert timedelta(seconds=20) < cursor.fetchone()[0] <= timedelta(seconds=30)


Check = Callable[[Scene], None]
PROMISES: list[tuple[Check, str]] = [
    (j1_a_hint_that_redis_lost_is_sent_again, "lost_hints_stay_lost"),
    (j2_a_dead_workers_job_starts_again, "lost_workers_stay_lost"),
    (j3_an_overtaken_worker_changes_nothing, "no_fence"),
    (j4_a_poison_file_fails_after_three_attempts, "poison_is_not_counted"),
    (j4_a_long_job_does_not_pay_for_a_short_one, "bystanders_are_blamed"),
    (j5_a_reader_that_only_waits_is_ended, "the_clock_runs_slowly"),
    (j6_nothing_is_left_of_a_cancelled_attempt, "leftovers_of_a_cancelled_attempt"),
    (j7_the_one_file_of_a_user_does_not_wait_behind_anothers_many, "first_come_first_served"),
    (j8_a_store_that_is_away_costs_no_attempt, "faults_of_others_cost_attempts"),
    (j9_a_stopped_worker_hands_its_job_back, "a_stopped_worker_keeps_its_job"),
    (j10_a_process_that_has_done_much_is_replaced, "children_live_for_ever"),
    (j11_a_job_that_a_restart_of_the_database_broke_is_due_at_once, "the_database_is_not_waited_for"),
    (j12_a_lease_is_set_by_the_databases_clock, "the_local_clock_decides"),
]


@pytest.mark.parametrize("check", [check for check, _ in PROMISES], ids=lambda check: check.__name__)
def test_promise(check: Check, scene: Scene) -> None:
    check(scene)


@pytest.mark.parametrize(("check", "bug"), PROMISES, ids=[bug for _, bug in PROMISES])
def test_its_bug_is_noticed(check: Check, bug: str, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(f"jobs.{bug}", monkeypatch.setattr)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(scene)
