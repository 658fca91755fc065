"""Jobs through the configured stages: how each kind of ending is recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from files import jobs, pipeline, services
from files.breaker import FAULTS_IN_A_ROW
from files.errors import JobLost
from files.extraction.base import ExtractionError
from files.extraction.errors import SandboxUnavailable
from files.jobs import Claim
from files.models import FileEvent, FileRecord, FileStatus, ProcessingJob
from files.pipeline import Stage, StageContext
from orchestra.accounts.models import User

MakeFile = Callable[..., FileRecord]
pytestmark = pytest.mark.django_db(transaction=True)
script_of_the_test: list[Callable[[StageContext], None]] = []


class ScriptedStage(Stage):
    """Does what the test says."""

    name = "scripted"

    def run(self, context: StageContext) -> None:
        script_of_the_test[-1](context)

    def discard(self, file_id: UUID) -> None:
        pass


@pytest.fixture
def process(alice: User, make_file: MakeFile, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that processes one file with a scripted stage and returns its record."""
    settings.FILE_PIPELINE = [f"{__name__}.ScriptedStage"]
    monkeypatch.setattr(pipeline, "import_string", lambda _: ScriptedStage)

    def run(script: Callable[[StageContext], None]) -> FileRecord:
        script_of_the_test.append(script)
        file = make_file(alice, f"Some text, {len(script_of_the_test)}.".encode())
        assert pipeline.work("w")
        return FileRecord.objects.get(pk=file.pk)

    return run


def raising(error: Exception) -> Callable[[StageContext], None]:
    def script(_: StageContext) -> None:
        raise error

    return script


def test_nothing_to_do_is_told(db: None) -> None:
    assert pipeline.work("w") is False


def test_a_good_run_ends_ready_with_its_timings(process: Any) -> None:
    file = process(lambda context: context.report(1, 2, "pages"))
    assert file.status == FileStatus.READY
    assert set(ProcessingJob.objects.get(file=file).timings) == {"scripted"}


def test_what_is_wrong_with_the_file_fails_at_once_with_its_reason(process: Any) -> None:
    file = process(raising(ExtractionError("This file is broken.", hint="Save it again.")))
    assert (file.status, file.error_code) == (FileStatus.FAILED, "extraction_failed")
    assert (file.error_message, file.error_hint) == ("This file is broken.", "Save it again.")


def test_an_unexpected_error_is_tried_again_and_then_told_without_its_inside(process: Any, settings: Any) -> None:
    settings.JOB_MAX_ATTEMPTS = 1
    file = process(raising(ValueError("secret detail")))
    assert (file.status, file.error_code) == (FileStatus.FAILED, "internal_error")
    assert "secret detail" not in file.error_message + file.error_hint


def test_a_database_fault_is_not_counted_against_the_file(process: Any) -> None:
    file = process(raising(OperationalError("server closed the connection")))
    assert file.status == FileStatus.QUEUED
    assert ProcessingJob.objects.get(file=file).failures == 0


def test_a_fault_that_calls_itself_transient_is_not_counted_and_waits(process: Any) -> None:
    process(raising(SandboxUnavailable()))
    job = ProcessingJob.objects.annotate(now=Now()).get()
    assert (job.state, job.failures, job.interruptions, job.cause) == ("queued", 0, 1, "sandbox_unavailable")
    assert job.available_at > job.now


def test_no_file_is_taken_while_what_all_need_is_away(process: Any, alice: User, make_file: MakeFile) -> None:
    for _ in range(FAULTS_IN_A_ROW):
        process(raising(SandboxUnavailable()))
    waiting = make_file(alice, b"another")
    assert not pipeline.work("w")
    assert ProcessingJob.objects.get(file=waiting).attempt == 0


def test_a_database_that_comes_back_is_waited_for_and_the_job_is_due_at_once(
    process: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    real_cursor = connection.cursor

    def cursor() -> Any:
        tries.append(True)
        if len(tries) < 3:
            raise OperationalError("the database system is starting up")
        return real_cursor()

    def script(_: StageContext) -> None:
        monkeypatch.setattr(pipeline, "_DATABASE_LOOKS", 0.01)
        monkeypatch.setattr(connection, "cursor", cursor, raising=False)
        raise OperationalError("terminating connection due to administrator command")

    process(script)
    monkeypatch.undo()
    job = ProcessingJob.objects.annotate(now=Now()).get()
    assert len(tries) >= 3
    assert job.available_at <= job.now


def test_a_worker_without_a_job_waits_for_the_database(
    process: Any, alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_next, calls = jobs.claim_next, []

    def away_once(worker: str, **more: Any) -> Claim | None:
        calls.append(worker)
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return claim_next(worker, **more)

    monkeypatch.setattr(jobs, "claim_next", away_once)
    assert process(lambda context: context.report(1, 2, "pages")).status == FileStatus.READY
    assert len(calls) == 2


def test_the_heartbeat_of_a_busy_worker_sweeps(
    process: Any, settings: Any, alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_HEARTBEAT_SECONDS = 0.01
    swept = threading.Event()
    monkeypatch.setattr(jobs, "sweep", swept.set)
    process(lambda _: swept.wait(30) or pytest.fail("no sweep"))
    assert swept.is_set()


@pytest.mark.parametrize("days", [30, 0])
def test_a_deleted_file_ends_its_job_quietly(process: Any, settings: Any, days: int) -> None:
    settings.TRASH_DAYS = days

    def script(context: StageContext) -> None:
        services.delete(context.file)
        context._reported = 0.0
        with pytest.raises(JobLost):
            context.report(1, 2, "pages")
        raise JobLost

    if days:
        assert process(script).status == FileStatus.CANCELLED
        return
    with pytest.raises(FileRecord.DoesNotExist):
        process(script)


def test_a_stopped_worker_hands_its_job_back(process: Any) -> None:
    def script(_: StageContext) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        process(script)
    job = ProcessingJob.objects.get()
    assert (job.state, job.failures) == ("queued", 0)


def test_stage_may_not_publish_after_losing_its_job(process: Any) -> None:
    def script(context: StageContext) -> None:
        jobs.cancel(context.file)
        with pytest.raises(JobLost), context.fenced():
            pytest.fail("the fence let a lost job in")
        raise JobLost

    assert process(script).status == FileStatus.CANCELLED


class TestShortJobsInBetween:
    @pytest.fixture
    def begin(self, process: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Return a function that processes the next file by a script, reporting from its first moment on."""
        settings.FILE_PIPELINE = [f"{__name__}.ScriptedStage"] * 2
        monkeypatch.setattr(pipeline, "_LONG_AFTER", 0.0)
        monkeypatch.setattr(pipeline, "_REPORT_EVERY", 0.0)

        def run(script: Callable[[StageContext], None]) -> None:
            script_of_the_test.append(script)
            assert pipeline.work("w")

        return run

    def test_they_are_done_while_a_long_one_goes_on(
        self, begin: Callable[..., None], alice: User, make_file: MakeFile
    ) -> None:
        book, notes = make_file(alice, b"a book"), [make_file(alice, f"note {n}".encode()) for n in range(3)]
        seen = []

        def script(context: StageContext) -> None:
            if context.file.pk == book.pk:
                context.report(1, 2, "pages")
                seen.append({FileRecord.objects.get(pk=note.pk).status for note in notes})
                assert FileRecord.objects.get(pk=book.pk).status == FileStatus.PROCESSING

        begin(script)

        assert seen[0] == {FileStatus.READY}
        assert FileRecord.objects.get(pk=book.pk).status == FileStatus.READY

    def test_what_turns_out_long_waits_for_a_worker_of_its_own(
        self, begin: Callable[..., None], alice: User, make_file: MakeFile
    ) -> None:
        book, other = make_file(alice, b"a book"), make_file(alice, b"another book")

        def script(context: StageContext) -> None:
            if context.file.pk == book.pk:
                context.report(1, 2, "pages")
            FileRecord.objects.filter(pk=context.file.pk).update(character_count=10_000_000)

        begin(script)

        job = ProcessingJob.objects.get(file=other)
        assert (job.state, job.long_text, job.failures) == ("queued", True, 0)
        assert FileEvent.objects.filter(file=other).latest("id").code == "set_aside"
        begin(script)
        assert FileRecord.objects.get(pk=other.pk).status == FileStatus.READY

    def test_a_large_file_is_not_begun_in_between(
        self, begin: Callable[..., None], alice: User, make_file: MakeFile
    ) -> None:
        book, film = make_file(alice, b"a book"), make_file(alice, b"a film")
        FileRecord.objects.filter(pk=film.pk).update(size=jobs.SHORT_FILE_BYTES + 1)

        begin(lambda context: context.report(1, 2, "pages"))

        assert FileRecord.objects.get(pk=book.pk).status == FileStatus.READY
        assert FileRecord.objects.get(pk=film.pk).status == FileStatus.QUEUED

    def test_one_that_breaks_harms_nobody_else(
        self, begin: Callable[..., None], alice: User, make_file: MakeFile
    ) -> None:
        book, bad = make_file(alice, b"a book"), make_file(alice, b"bad")

        def script(context: StageContext) -> None:
            if context.file.pk == bad.pk:
                raise ExtractionError("This file is broken.")
            context.report(1, 2, "pages")

        begin(script)

        assert FileRecord.objects.get(pk=book.pk).status == FileStatus.READY
        assert FileRecord.objects.get(pk=bad.pk).error_code == "extraction_failed"

    def test_stopping_the_worker_hands_both_back(
        self, begin: Callable[..., None], alice: User, make_file: MakeFile
    ) -> None:
        make_file(alice, b"a book")
        note = make_file(alice, b"a note")

        def script(context: StageContext) -> None:
            if context.file.pk == note.pk:
                raise SystemExit
            context.report(1, 2, "pages")

        with pytest.raises(SystemExit):
            begin(script)

        assert set(ProcessingJob.objects.values_list("state", flat=True)) == {"queued"}


class FirstStage(ScriptedStage):
    """Waits, and lets the next stage begin."""

    name = "first"


class SteppedStage(Stage):
    """Takes a step for each thing that has been stored; `taken` says what, and whether it was taken ahead."""

    name = "stepped"
    stored: list[str] = []
    taken: list[tuple[str, bool]] = []
    fails: list[Exception] = []
    closed: list[bool] = []

    def run(self, context: StageContext) -> None:
        for _ in self.steps(context):
            pass

    def steps(self, context: StageContext) -> Generator[bool]:
        at = 0
        try:
            while at < len(self.stored) or not context.complete:
                if at == len(self.stored):
                    yield False
                    continue
                self.taken.append((self.stored[at], not context.complete))
                context.report(at, 0, "things")
                if self.fails:
                    raise self.fails.pop()
                at += 1
                yield True
        finally:
            self.closed.append(True)

    def discard(self, file_id: UUID) -> None:
        pass


class TestAStageThatRunsAhead:
    @pytest.fixture(autouse=True)
    def _stages(self, settings: Any) -> None:
        settings.FILE_PIPELINE = [f"{__name__}.{stage.__name__}" for stage in (FirstStage, SteppedStage, ScriptedStage)]
        for memory in (SteppedStage.stored, SteppedStage.taken, SteppedStage.fails, SteppedStage.closed):
            memory.clear()

    @pytest.fixture
    def begin(self, alice: User, make_file: MakeFile) -> Callable[..., FileRecord]:
        """Return a function that processes a file; what the first stage does, the test says."""

        def run(script: Callable[[StageContext], None], file: FileRecord | None = None) -> FileRecord:
            script_of_the_test.append(lambda context: script(context) if context._stage == "first" else None)
            file = file or make_file(alice)
            assert pipeline.work("w")
            return FileRecord.objects.get(pk=file.pk)

        return run

    def test_takes_steps_while_the_one_before_waits_and_the_rest_at_its_turn(self, begin: Any) -> None:
        answers = []

        def script(context: StageContext) -> None:
            answers.append(context.step_ahead())
            SteppedStage.stored += ["a", "b"]
            answers.extend(context.step_ahead() for _ in range(3))
            SteppedStage.stored.append("c")

        file = begin(script)

        assert answers == [False, True, True, False]
        assert SteppedStage.taken == [("a", True), ("b", True), ("c", False)]
        assert file.status == FileStatus.READY
        assert set(ProcessingJob.objects.get(file=file).timings) == {"first", "stepped", "scripted"}

    def test_says_nothing_of_its_progress_until_its_turn(self, begin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[tuple[str, int]] = []
        report = jobs.report

        def watched(claim: Claim, stage: str, done: int, *rest: Any) -> None:
            told.append((stage, done))
            report(claim, stage, done, *rest)

        monkeypatch.setattr(jobs, "report", watched)
        monkeypatch.setattr(pipeline, "_REPORT_EVERY", 0.0)

        def script(context: StageContext) -> None:
            SteppedStage.stored += ["a", "b", "c"]
            context.report(1, 9, "pages")
            assert context.step_ahead()
            assert context.step_ahead()
            context.report(2, 9, "pages")

        begin(script)

        assert told == [("first", 0), ("first", 1), ("first", 2), ("stepped", 0), ("stepped", 2), ("scripted", 0)]

    def test_that_fails_ahead_begins_anew_at_its_turn(self, begin: Any) -> None:
        SteppedStage.stored += ["a", "b"]
        SteppedStage.fails.append(ExtractionError("Not now."))

        def script(context: StageContext) -> None:
            assert not context.step_ahead()
            assert not context.step_ahead(), "and takes no more steps until then"

        assert begin(script).status == FileStatus.READY
        assert SteppedStage.taken == [("a", True), ("a", False), ("b", False)]

    def test_lets_go_of_what_it_holds_when_the_job_ends_without_it(self, begin: Any) -> None:
        SteppedStage.stored += ["a", "b"]

        def script(context: StageContext) -> None:
            assert context.step_ahead()
            raise ExtractionError("This file is broken.")

        assert begin(script).status == FileStatus.FAILED
        assert (SteppedStage.taken, SteppedStage.closed) == ([("a", True)], [True])

    def test_stops_the_job_that_was_lost(self, begin: Any) -> None:
        SteppedStage.stored.append("a")

        def script(context: StageContext) -> None:
            jobs.cancel(context.file)
            context._lost.set()
            context.step_ahead()
            pytest.fail("the job went on")

        assert begin(script).status == FileStatus.CANCELLED

    def test_that_needs_everything_waits_for_its_turn(self, begin: Any, settings: Any) -> None:
        settings.FILE_PIPELINE = [f"{__name__}.{stage.__name__}" for stage in (FirstStage, ScriptedStage)]
        answers: list[bool] = []

        assert begin(lambda context: answers.append(context.step_ahead())).status == FileStatus.READY
        assert answers == [False]


@pytest.mark.usefixtures("_redis")
class TestShortJobsBetweenTheStepsOfARealOne:
    def test_a_short_file_that_fails_does_not_send_the_long_one_back(
        self, alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipeline, "_LONG_AFTER", 0.0)
        monkeypatch.setattr(pipeline, "_REPORT_EVERY", 0.0)
        text = "\n\n".join(f"# Chapter {n}\n\nThe harbour opens at six, says page {n}." for n in range(600))
        book = make_file(alice, text.encode(), name="book.md")
        late: list[FileRecord] = []

        def report(claim: Claim, stage: str, done: int, *rest: Any) -> None:
            if stage == "index" and done and not late:  # the book's text is being read from the database
                late.append(make_file(alice, b"%PDF-1.7 and no more", name="bad.pdf"))
            jobs_report(claim, stage, done, *rest)

        jobs_report = jobs.report
        monkeypatch.setattr(jobs, "report", report)

        assert pipeline.work("w")

        assert FileRecord.objects.get(pk=late[0].pk).status == FileStatus.FAILED
        assert FileRecord.objects.get(pk=book.pk).status == FileStatus.READY
        assert ProcessingJob.objects.get(file=book).attempt == 1
