"""Indexing that begins while a slow reader is still at work: the same index, the same endings, the same promises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from files import jobs, pipeline, services
from files.jobs import Claim
from files.models import FileEvent, FileRecord, FileSegment, FileStatus, ProcessingJob
from files.pipeline import StageContext
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from search.indexing.embedders.hashing import HashingEmbedder
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, VectorChunk
from search.services import search
from tests.files.extraction import pausing

MakeFile = Callable[..., FileRecord]
pytestmark = pytest.mark.django_db(transaction=True)


class BrokenPassage(OrchestraError):
    code = "broken_passage"
    default_message = "One passage cannot be embedded."


class Embedding:
    """Watches every batch that is embedded: at which stage of the job, and what a test does in between."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.then: Callable[[str], None] = lambda _stage: None

    @property
    def ahead(self) -> int:
        """How many batches were embedded while the text was still being read."""
        return self.stages.count("extract")

    def note(self, texts: list[str]) -> None:
        """Take note of a batch of passages; questions are not meant."""
        if len(texts) > 1:
            self.stages.append(ProcessingJob.objects.get(state="running").stage)
            self.then(self.stages[-1])


@pytest.fixture
def embedding(monkeypatch: pytest.MonkeyPatch) -> Embedding:
    watch, embed = Embedding(), HashingEmbedder.embed_passages

    def watched(self: HashingEmbedder, texts: list[str]) -> Any:
        watch.note(texts)
        return embed(self, texts)

    monkeypatch.setattr(HashingEmbedder, "embed_passages", watched)
    return watch


@pytest.fixture
def book(alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FileRecord]:
    """Return a maker of queued long files whose reader is silent now and then."""
    pausing.use_for_plain_text(monkeypatch)
    return lambda *extra: make_file(alice, pausing.long_text(150, *extra), name="harbour.txt")


def process(file: FileRecord) -> FileRecord:
    assert pipeline.work("w")
    return FileRecord.objects.get(pk=file.pk)


def index_of(file: FileRecord) -> tuple[Any, ...]:
    """Return everything that the index holds of the only file, without what names this attempt."""
    chunks = VectorChunk.objects.order_by("ordinal").values_list("ordinal", "text", "place", "token_count")
    vectors = sorted(map(str, ChunkEmbedding.objects.values_list("embedding", flat=True)))
    words = sorted(KeywordPosting.objects.values_list("lexeme", "block", "postings"))
    (document,) = IndexedFile.objects.values_list("language", "configuration", "chunk_count", "lexeme_count")
    record = FileRecord.objects.values_list("status", "language", "chunk_count", "metadata", "warnings").get(pk=file.pk)
    return list(chunks), vectors, words, document, record


def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second stage wait until the first one has ended."""
    monkeypatch.setattr(StageContext, "step_ahead", lambda _self: False)


@pytest.mark.parametrize("extra", [(), (pausing.LATE_TITLE,), (pausing.CRASH,)], ids=["plain", "late title", "crash"])
def test_the_index_is_that_of_a_file_that_was_read_before(
    extra: tuple[str, ...], book: Any, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = process(book(*extra))
    ahead, overlapped = embedding.ahead, index_of(file)
    services.retry(file)
    in_turn(monkeypatch)
    embedding.stages.clear()
    process(file)

    assert ahead >= 1
    assert embedding.ahead == 0
    assert index_of(file) == overlapped
    assert len(overlapped[0]) == len(overlapped[1]) > 64
    assert overlapped[4][0] == (FileStatus.PARTIAL if pausing.CRASH in extra else FileStatus.READY)


def test_a_title_told_at_the_end_is_embedded_with_every_passage(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    embed = HashingEmbedder.embed_passages

    def watched(self: HashingEmbedder, texts: list[str]) -> Any:
        seen.extend(texts)
        return embed(self, texts)

    monkeypatch.setattr(HashingEmbedder, "embed_passages", watched)
    file = process(book(pausing.LATE_TITLE))

    titled = [text for text in seen if text.startswith("Tides\n\n")]
    assert len(titled) == file.chunk_count < len(seen)


def test_nothing_is_found_before_both_stages_are_done(book: Any, alice: User, embedding: Embedding) -> None:
    found: list[int] = []
    embedding.then = lambda _stage: found.append(VectorChunk.objects.count() + len(search(alice, "harbour").hits))
    process(book())
    assert embedding.ahead
    assert set(found) == {0}
    assert search(alice, "harbour").hits


def test_a_fault_half_way_leaves_nothing_to_be_found_and_the_next_attempt_doubles_nothing(
    book: Any, alice: User, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileSegment.objects.bulk_create

    def failing(rows: Any) -> Any:
        if embedding.ahead:
            raise OperationalError("server closed the connection")
        return store(rows)

    file = book()
    with monkeypatch.context() as patched:
        patched.setattr(FileSegment.objects, "bulk_create", failing)
        assert process(file).status == FileStatus.QUEUED
    assert embedding.ahead
    assert (VectorChunk.objects.count(), FileRecord.objects.get(pk=file.pk).generation) == (0, 0)
    assert ProcessingJob.objects.get(file=file).failures == 0

    ProcessingJob.objects.update(available_at="2020-01-01T00:00Z")
    done = process(file)
    assert done.status == FileStatus.READY
    assert done.segment_count == FileSegment.objects.filter(file=file).count()
    ordinals = list(VectorChunk.objects.order_by("ordinal").values_list("ordinal", flat=True))
    assert ordinals == list(range(done.chunk_count))


def test_an_error_of_the_second_stage_is_told_at_its_turn_and_the_text_is_kept(book: Any, embedding: Embedding) -> None:
    def fail(_stage: str) -> None:
        raise BrokenPassage

    embedding.then = fail
    file = process(book())

    assert embedding.stages == ["extract", "index"]
    assert (file.status, file.error_code) == (FileStatus.FAILED, "broken_passage")
    assert FileSegment.objects.filter(file=file, generation=file.generation).count() == file.segment_count > 0
    assert VectorChunk.objects.count() == 0
    assert FileEvent.objects.filter(file=file, code="text_read").exists()


def test_what_breaks_ahead_sends_the_job_back(book: Any, embedding: Embedding) -> None:
    def fail(_stage: str) -> None:
        raise ValueError("broken")

    embedding.then = fail
    file = process(book())

    assert embedding.stages == ["extract"]
    assert (file.status, file.generation, VectorChunk.objects.count()) == (FileStatus.QUEUED, 0, 0)
    assert ProcessingJob.objects.get(file=file).failures == 1


def test_a_job_cancelled_while_both_run_stops_before_another_batch(book: Any, embedding: Embedding) -> None:
    file = book()
    embedding.then = lambda _stage: jobs.cancel(file)
    done = process(file)

    assert embedding.stages == ["extract"]
    assert (done.status, done.generation, VectorChunk.objects.count()) == (FileStatus.CANCELLED, 0, 0)


def test_a_worker_stopped_while_both_run_hands_its_job_back(book: Any, embedding: Embedding) -> None:
    def stop(_stage: str) -> None:
        raise SystemExit

    file = book()
    embedding.then = stop
    with pytest.raises(SystemExit):
        pipeline.work("w")

    assert embedding.stages == ["extract"]
    job = ProcessingJob.objects.get(file=file)
    assert (job.state, job.failures) == ("queued", 0)


def test_progress_goes_forward_and_tells_what_is_being_waited_for(
    book: Any, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str, int]] = []
    report = jobs.report

    def watched(claim: Claim, stage: str, done: int, total: int, unit: str) -> None:
        told.append((stage, unit, done))
        report(claim, stage, done, total, unit)

    monkeypatch.setattr(jobs, "report", watched)
    monkeypatch.setattr(pipeline, "_REPORT_EVERY", 0.0)
    process(book())

    assert embedding.ahead
    stages = [stage for stage, _, _ in told]
    assert stages == sorted(stages), "extract, then index, and never back"
    for stage, unit in (("extract", "parts"), ("index", "characters")):
        amounts = [done for at, of, done in told if (at, of) == (stage, unit)]
        assert amounts == sorted(amounts)
        assert len(set(amounts)) > 1
    first = next(done for at, of, done in told if (at, of) == ("index", "characters"))
    assert first > 32 * 800, "what was done ahead is told as done"


def test_it_takes_no_thread_and_no_connection_of_its_own(book: Any, embedding: Embedding) -> None:
    counts: list[tuple[int, int]] = []

    def count(_stage: str) -> None:
        with connection.cursor() as cursor:
            # Not those of PostgreSQL's own that clear up behind the tests before.
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND backend_type = 'client backend'"
            )
            counts.append((cursor.fetchone()[0], threading.active_count()))

    embedding.then = count
    process(book())

    assert embedding.ahead
    assert len({threads for _, threads in counts}) == 1
    assert max(connections for connections, _ in counts) <= counts[-1][0]


def test_short_and_fast_files_are_done_one_stage_after_the_other(
    alice: User, make_file: MakeFile, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(_self: StageContext) -> bool:
        raise AssertionError("a reader that is never silent was taken for a slow one")

    monkeypatch.setattr("files.extraction.sandbox._PAUSE_SECONDS", 5.0)  # on a busy machine a fast one waits too
    monkeypatch.setattr(StageContext, "step_ahead", unexpected)
    assert process(make_file(alice, b"The harbour opens.", name="a.txt")).status == FileStatus.READY
    assert process(make_file(alice, pausing.long_text(150), name="b.txt")).status == FileStatus.READY
    assert set(embedding.stages) == {"index"}


def test_a_job_between_the_steps_of_another_one_does_not_run_ahead(book: Any, embedding: Embedding) -> None:
    book()
    claim = jobs.claim_next("w", short_only=True)
    assert claim
    with pytest.raises(pipeline._TurnedOutLongError):
        pipeline.run(claim, alone=False)
    assert embedding.stages == []
