"""The queue's truth: claims, fences, leases, retries, the sweeper."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from files import estimates, jobs, services
from files.errors import InvalidMove, JobLost
from files.jobs import Claim, Failure
from files.models import FileEvent, FileRecord, FileSegment, FileStatus, JobState, ProcessingJob
from orchestra.accounts.models import User
from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessRole

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


def test_transient_faults_are_bounded_too_and_their_pauses_grow(
    alice: User, make_file: MakeFile, hints: list[int], settings: Any
) -> None:
    file, settings.JOB_MAX_INTERRUPTIONS = make_file(alice), 6
    pauses = []
    for _ in range(settings.JOB_MAX_INTERRUPTIONS):
        jobs.retry_later(claimed(), Failure("away", "The store was away."), counted=False)
        job = ProcessingJob.objects.annotate(now=Now()).get()
        pauses.append((job.available_at - job.now).total_seconds())
        ProcessingJob.objects.update(available_at=Now())
    assert all(0.5 * 2**n - 1 <= pause <= 2**n for n, pause in enumerate(pauses, 1)), pauses
    assert status_of(file) == FileStatus.QUEUED
    jobs.retry_later(claimed(), Failure("away", "The store was away."), counted=False)
    failed = FileRecord.objects.get(pk=file.pk)
    assert (failed.status, failed.error_code, failed.error_message) == ("failed", "away", "The store was away.")


def test_a_fault_of_a_moment_is_tried_again_at_once_and_a_hint_is_sent(
    alice: User, make_file: MakeFile, hints: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    make_file(alice)
    claim = claimed()
    hints.clear()
    with django_capture_on_commit_callbacks(execute=True):
        jobs.retry_later(claim, Failure("database_away", "Away."), counted=False, at_once=True)
    assert hints == [1]
    assert claimed().attempt == 2


class TestWhoIsBlamedForALostWorker:
    """A process does short jobs between two steps of a long one: the last one begun is the suspect."""

    @pytest.fixture(autouse=True)
    def _two_in_one_process(self, alice: User, make_file: MakeFile, hints: list[int]) -> None:
        self.book, self.note = make_file(alice, b"a book"), make_file(alice, b"a note")
        for file, earlier in ((self.book, 60), (self.note, 1)):
            assert jobs.claim_next("celery@host/7")
            started = Now() - timedelta(seconds=earlier)
            ProcessingJob.objects.filter(file=file).update(started_at=started)

    def counts(self, file: FileRecord) -> tuple[int, int]:
        job = ProcessingJob.objects.get(file=file)
        return job.failures, job.interruptions

    def test_the_one_begun_last_is_counted_and_the_one_around_it_is_not(self) -> None:
        let_the_lease_run_out()
        assert jobs.sweep()["lost"] == 2
        assert (self.counts(self.note), self.counts(self.book)) == ((1, 0), (0, 1))

    @pytest.mark.parametrize("first", ["book", "note"])
    def test_whichever_lease_ends_first(self, first: str) -> None:
        overdue = Now() - timedelta(seconds=1)
        ProcessingJob.objects.filter(file=getattr(self, first)).update(lease_until=overdue)
        assert jobs.sweep()["lost"] == 1
        let_the_lease_run_out()
        assert jobs.sweep()["lost"] == 1
        assert (self.counts(self.note), self.counts(self.book)) == ((1, 0), (0, 1))

    def test_what_was_lost_once_is_not_begun_in_between_again(self) -> None:
        let_the_lease_run_out()
        jobs.sweep()
        taken = jobs.claim_next("w", short_only=True)
        assert taken is not None
        assert taken.file_id == self.book.pk
        assert jobs.claim_next("w", short_only=True) is None

    def test_nobody_is_blamed_when_the_whole_worker_was_started_anew(self) -> None:
        pulses.show(pulses.Sign("celery@host", ProcessRole.WORKER, pid=8, slots=2))
        let_the_lease_run_out()
        jobs.sweep()
        assert (self.counts(self.note), self.counts(self.book)) == ((0, 1), (0, 1))

    def test_a_file_that_takes_the_whole_worker_along_does_not_loop_for_ever(self, settings: Any) -> None:
        pulses.show(pulses.Sign("celery@host", ProcessRole.WORKER, pid=8, slots=2))
        ProcessingJob.objects.filter(file=self.note).update(interruptions=settings.JOB_MAX_INTERRUPTIONS)
        let_the_lease_run_out()
        jobs.sweep()
        assert FileRecord.objects.get(pk=self.note.pk).error_code == "worker_lost"


def test_two_sweeps_at_once_send_the_missing_hints_once(
    alice: User, make_file: MakeFile, hints: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(alice)
    seen: list[int] = []

    def count_while_another_one_sweeps() -> int:
        if not seen:
            seen.append(0)
            with ThreadPoolExecutor(1) as other:  # a connection of its own: it does not get the lock
                seen[0] = other.submit(lock_is_free).result()
        return 0

    monkeypatch.setattr(jobs, "waiting_hints", count_while_another_one_sweeps)
    assert jobs.sweep()["hints"] == 1
    assert seen == [False]


def lock_is_free() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [jobs.SWEEP_LOCK])
            return bool(cursor.fetchone()[0])
    finally:
        connection.close()


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_what_an_attempt_had_stored_before_its_switch_goes_with_its_end(
    alice: User, make_file: MakeFile, end: str
) -> None:
    file = make_file(alice)
    FileRecord.objects.filter(pk=file.pk).update(generation=1)
    for generation in (1, 2):
        FileSegment.objects.create(file=file, generation=generation, ordinal=0, kind="paragraph", text="x")
    claim = claimed()
    jobs.cancel(file) if end == "cancel" else jobs.fail(claim, Failure("broken", "It is broken."))
    assert list(FileSegment.objects.values_list("generation", flat=True)) == [1], "what can be searched stays"


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


class TestWhatIsToldOfTheQueue:
    def shown(self, *files: FileRecord) -> list[Any]:
        from files.selectors import with_status

        return with_status(FileRecord.objects.filter(pk__in=[file.pk for file in files]).order_by("created_at"))

    def test_nobody_waits_behind_others_when_there_is_no_worker(self, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)
        assert self.shown(file)[0].workers == 0
        pulses.show(pulses.Sign("celery@host", ProcessRole.WORKER, pid=1, slots=2))
        assert self.shown(file)[0].workers == 2

    def test_a_live_lease_is_a_sign_of_a_worker_too(self, alice: User, make_file: MakeFile) -> None:
        make_file(alice, b"1")
        waiting = make_file(alice, b"2")
        claimed()
        assert self.shown(waiting)[0].workers == 1

    def test_estimates_come_from_files_of_the_kind_that_were_read_lately(
        self, alice: User, make_file: MakeFile
    ) -> None:
        pulses.show(pulses.Sign("celery@host", ProcessRole.WORKER, pid=1, slots=1))
        for number in range(5):
            make_file(alice, f"text {number}".encode())
            jobs.finish(claimed(), {"extract": 10.0, "index": 20.0})
        first, second = make_file(alice, b"text a"), make_file(alice, b"text b")
        estimates.rates.forget()
        assert [view.estimate for view in self.shown(first, second)] == [30, 60]
        claimed()
        running = self.shown(first)[0].estimate
        assert running is not None
        assert 0 < running <= 30

    def test_a_list_takes_the_same_queries_however_long(
        self, alice: User, make_file: MakeFile, django_assert_max_num_queries: Any
    ) -> None:
        files = [make_file(alice, f"text {number}".encode()) for number in range(20)]
        estimates.rates.forget()
        with django_assert_max_num_queries(7):
            assert len(self.shown(*files)) == 20

    def test_a_worker_lost_before_is_told_while_the_next_one_reads(
        self, alice: User, make_file: MakeFile, hints: list[int]
    ) -> None:
        file = make_file(alice)
        claimed()
        let_the_lease_run_out()
        jobs.sweep()
        claimed()
        assert self.shown(file)[0].cause == "worker_lost"
