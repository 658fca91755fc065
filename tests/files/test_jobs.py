"""The queue's truth: claims, fences, leases, retries, the sweeper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from files import jobs, services
from files.errors import InvalidMove, JobLost
from files.jobs import Claim, Failure
from files.models import FileEvent, FileRecord, FileStatus, JobState, ProcessingJob
from orchestra.accounts.models import User

MakeFile = Callable[..., FileRecord]


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the hints that would go to Redis."""
    sent: list[int] = []
    monkeypatch.setattr(jobs, "publish_hints", sent.append)
    monkeypatch.setattr(jobs, "waiting_hints", lambda: 0)
    return sent


def status_of(file: FileRecord) -> str:
    return FileRecord.objects.get(pk=file.pk).status


def let_the_lease_run_out() -> None:
    ProcessingJob.objects.filter(state=JobState.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))


def claimed(worker: str = "w1") -> Claim:
    claim = jobs.claim_next(worker)
    assert claim is not None
    return claim


def test_a_claim_counts_the_attempt_before_any_work(alice: User, make_file: MakeFile) -> None:
    file = make_file(alice)
    claim = claimed()
    job = ProcessingJob.objects.get(file=file)
    assert (job.attempt, job.state, job.worker) == (claim.attempt, JobState.RUNNING, "w1") == (1, "running", "w1")
    assert job.lease_until is not None
    assert status_of(file) == FileStatus.PROCESSING
    assert jobs.claim_next("w2") is None, "one job, one worker"


def test_a_user_with_one_file_does_not_wait_behind_a_users_many(alice: User, bob: User, make_file: MakeFile) -> None:
    for number in range(5):
        make_file(alice, f"text {number}".encode())
    make_file(bob, b"only one")
    owners = [claimed().owner_id for _ in range(3)]
    assert owners == [alice.pk, bob.pk, alice.pk]


def test_an_older_attempt_can_write_nothing(alice: User, make_file: MakeFile, hints: list[int]) -> None:
    make_file(alice)
    zombie = claimed()
    let_the_lease_run_out()
    jobs.sweep()
    current = claimed("w2")

    assert current.attempt == zombie.attempt + 1
    assert not jobs.heartbeat(zombie)
    writes: tuple[Callable[[], None], ...] = (
        lambda: jobs.report(zombie, "extract", 1, 2, "pages"),
        lambda: jobs.finish(zombie, {}),
        lambda: jobs.fail(zombie, Failure("x", "y")),
        lambda: jobs.retry_later(zombie, Failure("x", "y"), counted=True),
        lambda: jobs.release(zombie),
    )
    for write in writes:
        with pytest.raises(JobLost):
            write()
    assert jobs.heartbeat(current)


def test_lost_worker_is_noticed_told_and_its_job_started_again(
    alice: User, make_file: MakeFile, hints: list[int]
) -> None:
    file = make_file(alice)
    claimed()
    assert jobs.sweep() == {"lost": 0, "hints": 0}, "a live lease is left alone"
    let_the_lease_run_out()

    assert jobs.sweep()["lost"] == 1
    assert status_of(file) == FileStatus.QUEUED
    assert FileEvent.objects.filter(file=file, code="worker_lost").exists()


def test_a_file_that_kills_its_worker_fails_after_three_attempts(
    alice: User, make_file: MakeFile, hints: list[int], settings: Any
) -> None:
    file = make_file(alice)
    for _ in range(settings.JOB_MAX_ATTEMPTS):
        assert status_of(file) == FileStatus.QUEUED
        claimed()
        let_the_lease_run_out()
        jobs.sweep()
    failed = FileRecord.objects.get(pk=file.pk)
    assert (failed.status, failed.error_code) == (FileStatus.FAILED, "worker_lost")
    assert failed.error_hint
    assert jobs.claim_next("w") is None


def test_the_sweeper_sends_one_hint_per_due_job_and_no_more(
    alice: User, make_file: MakeFile, hints: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        make_file(alice, f"text {number}".encode())
    monkeypatch.setattr(jobs, "waiting_hints", lambda: 3)
    assert jobs.sweep() == {"lost": 0, "hints": 1}
    monkeypatch.setattr(jobs, "waiting_hints", lambda: 0)
    assert jobs.sweep()["hints"] == 4
    assert hints[-2:] == [1, 4]


def test_transient_faults_wait_and_cost_no_attempt(alice: User, make_file: MakeFile, hints: list[int]) -> None:
    make_file(alice)
    for _ in range(5):
        jobs.retry_later(claimed(), Failure("away", "The database was away."), counted=False)
        assert jobs.claim_next("w") is None, "not before its time"
        ProcessingJob.objects.update(available_at=timezone.now() - timedelta(seconds=1))
    assert ProcessingJob.objects.get().failures == 0


def test_cancel_takes_a_file_from_the_queue_and_from_its_worker(alice: User, make_file: MakeFile) -> None:
    queued, running = make_file(alice, b"queued"), None
    services.cancel(queued)
    assert jobs.claim_next("w") is None
    running = make_file(alice, b"running")
    claim = claimed()
    services.cancel(running)
    with pytest.raises(JobLost):
        jobs.report(claim, "extract", 1, 2, "pages")
    assert status_of(queued) == status_of(running) == FileStatus.CANCELLED


def test_retry_queues_again_with_a_fresh_budget(alice: User, make_file: MakeFile, hints: list[int]) -> None:
    file = make_file(alice)
    jobs.fail(claimed(), Failure("broken", "It is broken."))
    services.retry(FileRecord.objects.get(pk=file.pk))
    again = FileRecord.objects.get(pk=file.pk)
    assert (again.status, again.error_code) == (FileStatus.QUEUED, "")
    assert claimed().attempt == 2
    with pytest.raises(InvalidMove):
        services.retry(again)


def test_every_change_of_state_grows_the_version_and_leaves_an_event(alice: User, make_file: MakeFile) -> None:
    file = make_file(alice)
    jobs.finish(claimed(), {"extract": 0.1})
    events = list(FileEvent.objects.filter(file=file).order_by("id"))
    assert [event.code for event in events] == ["upload_started", "uploaded", "started", "ready"]
    versions = [event.version for event in events]
    assert versions == sorted(set(versions))


def test_warnings_make_a_file_partial(alice: User, make_file: MakeFile) -> None:
    file = make_file(alice)
    claim = claimed()
    FileRecord.objects.filter(pk=file.pk).update(warnings=[{"code": "needs_ocr", "message": "Page 2 is a picture."}])
    jobs.finish(claim, {})
    assert status_of(file) == FileStatus.PARTIAL


def test_waiting_behind_counts_what_is_queued_before(alice: User, bob: User, make_file: MakeFile) -> None:
    from files.selectors import with_status

    first, second = make_file(alice, b"1"), make_file(bob, b"2")
    ProcessingJob.objects.filter(file=second).update(queued_at=F("queued_at") + timedelta(seconds=1))
    assert [view.waiting_behind for view in with_status([first, second])] == [0, 1]
