"""What it brings to embed while the reader of a file is silent, and to make postings before the last transaction.

In this process, through the pipeline, so that the same file can be done both ways in the same minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings

from files import pipeline, services
from files.models import FileRecord, FileStatus, ProcessingJob
from files.pipeline import StageContext
from orchestra.accounts.models import User
from search.embedders import embedders
from search.indexing import writing
from tests.benchmarks import materials
from tests.benchmarks.memory import MB, Sampler
from tests.benchmarks.recording import record
from tests.files.extraction import pausing

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600), pytest.mark.django_db(transaction=True)]

MakeFile = Callable[..., FileRecord]


@dataclass(frozen=True)
class Run:
    """One processing of a file: seconds from its start to ready, and of these after reading; steps ahead; memory."""

    seconds: float
    after_reading: float
    ahead: int
    peak: int


@pytest.fixture
def _real_embedder(settings: Any) -> None:
    """The product's own engine, loaded before anything is measured."""
    options = {"cache_dir": django_settings.STATE_DIR / "models"}
    backend = "search.indexing.automatic.AutomaticEmbedder"
    settings.EMBEDDERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
    embedders["default"].embed_passages(["The harbour opens before sunrise. " * 20] * 32)


@contextmanager
def _steps_ahead(monkeypatch: pytest.MonkeyPatch, *, allowed: bool) -> Iterator[list[bool]]:
    """Collect the steps that are taken ahead, or let there be none."""
    taken: list[bool] = []
    step = StageContext.step_ahead

    def watched(self: StageContext) -> bool:
        done = allowed and step(self)
        taken.extend([True] * done)
        return done

    with monkeypatch.context() as patched:
        patched.setattr(StageContext, "step_ahead", watched)
        yield taken


def _process(file: FileRecord, monkeypatch: pytest.MonkeyPatch, *, ahead: bool) -> Run:
    me = psutil.Process()
    with (
        _steps_ahead(monkeypatch, allowed=ahead) as taken,
        Sampler(lambda: [me, *me.children(recursive=True)]) as memory,
    ):
        began = time.perf_counter()
        assert pipeline.work("benchmark")
        seconds = time.perf_counter() - began
    file.refresh_from_db()
    assert file.status == FileStatus.READY, file.warnings or file.error_message
    after_reading = ProcessingJob.objects.get(file=file).timings["index"]
    services.retry(file)
    return Run(seconds, after_reading, len(taken), memory.total)


def _compare(name: str, file: FileRecord, monkeypatch: pytest.MonkeyPatch, load: float, rounds: int = 1) -> None:
    """Process a file both ways in turn and record what it took; of several rounds the one of the median ratio."""
    pairs = [[_process(file, monkeypatch, ahead=ahead) for ahead in (False, True)] for _ in range(rounds)]
    in_turn, overlapped = sorted(pairs, key=lambda pair: pair[1].seconds / pair[0].seconds)[rounds // 2]
    figures = {
        "passages": file.chunk_count,
        "one after the other, s": in_turn.seconds,
        "overlapped, s": overlapped.seconds,
        "ratio": overlapped.seconds / in_turn.seconds,
        "passages embedded while reading": 32 * overlapped.ahead,
        "after reading, one after the other, s": in_turn.after_reading,
        "after reading, overlapped, s": overlapped.after_reading,
        "peak MB, one after the other": in_turn.peak / MB,
        "peak MB, overlapped": overlapped.peak / MB,
    }
    record("overlap", name, figures, load)


@pytest.mark.usefixtures("_real_embedder")
def test_a_pdf_of_2000_pages_of_text(
    alice: User, make_file: MakeFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: float
) -> None:
    path = tmp_path / "book.pdf"
    materials.text_pages(path, 2000)
    _compare("PDF of 2,000 pages of text", make_file(alice, path.read_bytes(), path.name), monkeypatch, load)


@pytest.mark.usefixtures("_real_embedder")
def test_a_scanned_pdf_of_20_pages(
    alice: User, make_file: MakeFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: float
) -> None:
    path = tmp_path / "scan.pdf"
    materials.scanned_pages(path, 20)
    _compare("PDF of 20 scanned pages", make_file(alice, path.read_bytes(), path.name), monkeypatch, load)


@pytest.mark.usefixtures("_real_embedder")
def test_a_reader_that_waits_more_than_it_computes(
    alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch, load: float
) -> None:
    pausing.use_for_plain_text(monkeypatch, pausing.SleepyText)
    file = make_file(alice, pausing.long_text(300), name="slow.txt")
    _compare("text whose reader sleeps 0.3 s every 5 segments, median of 3", file, monkeypatch, load, rounds=3)


def test_the_last_transaction_of_15000_passages(
    alice: User, make_file: MakeFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: float
) -> None:
    path = tmp_path / "long.txt"
    materials.long_text(path, 12 * MB)
    file = make_file(alice, path.read_bytes(), path.name)
    replace = writing.replace

    def seconds_of(replacing: Callable[..., None]) -> float:
        spent: list[float] = []

        def timed(*arguments: Any, **more: Any) -> None:
            began = time.perf_counter()
            replacing(*arguments, **more)
            spent.append(time.perf_counter() - began)

        with monkeypatch.context() as patched:
            patched.setattr(writing, "replace", timed)
            _process(file, monkeypatch, ahead=True)
        return spent[0]

    inside, before = seconds_of(lambda *arguments, **_: replace(*arguments)), seconds_of(replace)
    figures = {
        "passages": file.chunk_count,
        "made in it, s": inside,
        "made before, s": before,
        "ratio": before / inside,
    }
    record("last-transaction", "text of 12 MB", figures, load)
