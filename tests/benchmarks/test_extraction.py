"""Reading files: what the sandbox adds, how long a look at the type takes, and each reader beside the bare library."""

from __future__ import annotations

import logging
import os
import statistics
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from files.extraction.base import Source
from files.extraction.detection import detect
from files.extraction.document import ReadBy, Segment
from files.extraction.errors import UnsupportedFormat
from files.extraction.isolation import fork_server
from files.extraction.limits import Limits
from files.extraction.registry import readers_of
from files.extraction.sandbox import extract_in_sandbox
from tests.abuse.queueing import measure_delay
from tests.benchmarks import materials
from tests.benchmarks.memory import MB
from tests.benchmarks.peers import seconds_of
from tests.benchmarks.recording import Cell, record
from tests.benchmarks.texts import Writer
from tests.files.extraction import samples
from tests.samples import pdf_of
from tests.stack import Stack

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

WARM_ROUNDS = 100
LIMITS = Limits(wall_seconds=1200, cpu_seconds=1200)


@dataclass
class Reading:
    """What reading one file took: seconds from the request to the last piece; the child's peak and processor time."""

    seconds: float = 0.0
    peak: float = 0.0
    cpu: float = 0.0
    parent_growth: float = 0.0
    reader: str = ""
    characters: int = 0


class _Efforts(logging.Handler):
    def __init__(self, reading: Reading) -> None:
        super().__init__(logging.DEBUG)
        self._reading = reading

    def emit(self, record: logging.LogRecord) -> None:
        self._reading.peak = max(self._reading.peak, getattr(record, "peak_bytes", 0) / MB)
        self._reading.cpu += getattr(record, "cpu_seconds", 0.0)


@contextmanager
def _watching(reading: Reading) -> Iterator[None]:
    log, efforts = logging.getLogger("files.extraction.sandbox"), _Efforts(reading)
    level, log.propagate = log.level, False
    log.addHandler(efforts)
    log.setLevel(logging.DEBUG)
    yield
    log.removeHandler(efforts)
    log.setLevel(level)
    log.propagate = True


def reading_of(path: Path) -> Reading:
    """Read a file as the pipeline does; skip where nothing reads its type."""
    media_type = detect(path).media_type
    try:
        readers_of(media_type)
    except UnsupportedFormat:
        pytest.skip(f"nothing reads {media_type}")
    fork_server.server_pid()
    reading, own = Reading(), psutil.Process()
    before = highest = own.memory_info().rss
    with _watching(reading):
        began = time.perf_counter()
        for number, piece in enumerate(extract_in_sandbox(Source(path, path.name, media_type), LIMITS)):
            if isinstance(piece, ReadBy):
                reading.reader = piece.reader
            if isinstance(piece, Segment):
                reading.characters += len(piece.text)
            if number % 1000 == 0:
                highest = max(highest, own.memory_info().rss)
        reading.seconds = time.perf_counter() - began
    reading.parent_growth = (max(highest, own.memory_info().rss) - before) / MB
    return reading


def median_of(rounds: int, action: Callable[[], Any]) -> float:
    """Return the median seconds of an action."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def test_child_overhead(tmp_path: Path, load: float) -> None:
    """A text of two words in a warm child, beside the start of an interpreter that does nothing."""
    path = samples.write(tmp_path / "a.txt", "two words")
    source = Source(path, path.name, "text/plain")
    list(extract_in_sandbox(source))
    ours = 1000 * median_of(WARM_ROUNDS, lambda: list(extract_in_sandbox(source)))
    start = 1000 * median_of(10, lambda: subprocess.run([sys.executable, "-S", "-c", ""], check=True))
    record("sandbox", "one small text, warm", {"ms a file": ours, "start of a bare interpreter, ms": start}, load)
    assert ours < 15


def test_detection(tmp_path: Path, load: float) -> None:
    """Each of the detection test's contents, with its name hidden."""
    from tests.files.extraction.test_detection import CONTENTS, TEXTS

    contents = [*(content for content, _, _ in CONTENTS), *(text.encode() for text in TEXTS.values())]
    paths = [samples.write(tmp_path / f"{at}", content) for at, content in enumerate(contents)]
    for path in paths:
        detect(path)
    times = [1000 * median_of(20, partial(detect, path)) for path in paths]
    figures = {"files": len(paths), "median ms": statistics.median(times), "slowest ms": max(times)}
    record("detection", "small files of every kind", figures, load)
    assert max(times) < 1


def test_hostile_queue(product: Stack, load: float) -> None:
    """Good files among as many hostile ones."""
    delay, _ = measure_delay(product)
    ratio = delay.among_hostile / delay.among_good
    figures = {"s among good ones": delay.among_good, "s among hostile ones": delay.among_hostile, "ratio": ratio}
    record("hostile", f"{delay.files} good files", figures, load)


@pytest.mark.parametrize("peer", ["pdf-text", "pdf-pdfplumber"])
def test_pdf_beside(peer: str, tmp_path: Path, load: float) -> None:
    """Pages of text alone."""
    path = tmp_path / "text.pdf"
    pages = materials.text_pdf(path, 1_000_000)
    _beside(path, peer, f"PDF of 1 MB, {pages} pages", load)


def test_xlsx_beside_openpyxl(tmp_path: Path, load: float) -> None:
    """A sheet of 50,000 rows and 8 columns."""
    path = tmp_path / "table.xlsx"
    materials.table_xlsx(path, 50_000)
    _beside(path, "openpyxl", "XLSX, 50,000 × 8", load)


def _beside(path: Path, peer: str, name: str, load: float) -> None:
    ours, theirs = reading_of(path), seconds_of(peer, path)
    figures: dict[str, Cell] = {
        "s": ours.seconds,
        "peer": peer,
        "peer alone, s": theirs,
        "peer / ours": theirs / ours.seconds,
    }
    record("readers", f"{name}, {peer}", figures, load)


def test_docx_of_10_mb(tmp_path: Path, load: float) -> None:
    """Text and tables, packed."""
    path = tmp_path / "book.docx"
    materials.table_docx(path, 33_000_000)
    ours = reading_of(path)
    _record_effort("DOCX whose body has 33 MB, with tables", path, ours, load)
    assert ours.peak < 120


def test_archive_listing(tmp_path: Path, load: float) -> None:
    """2,000 members, 100 MB that do not pack."""
    member, noise = os.urandom(50_000), tmp_path / "noise"
    noise.write_bytes(member)
    packed, tarred = tmp_path / "a.zip", tmp_path / "a.tar.gz"
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(2000):
            archive.writestr(f"folder/{number}.bin", member)
    with tarfile.open(tarred, "w:gz", compresslevel=1) as tar:
        for number in range(2000):
            tar.add(noise, f"folder/{number}.bin")
    for path in (packed, tarred):
        _record_effort(f"{path.suffixes[0][1:].upper()}, 2,000 members", path, reading_of(path), load)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "pdf"])
def test_memory_of_large_files(kind: str, tmp_path: Path, load: float) -> None:
    """200 MB of CSV, 100 MB of JSON Lines, 500 pages of PDF."""
    path = tmp_path / f"large.{kind}"
    if kind == "pdf":
        pages = Writer(5)
        path.write_bytes(pdf_of(["\n".join(pages.sentence(at)[:95] for _ in range(38)) for at in range(500)]))
    else:
        materials.large_table(path, (200 if kind == "csv" else 100) * MB)
    ours = reading_of(path)
    _record_effort(f"{path.stat().st_size / MB:.0f} MB of {kind.upper()}", path, ours, load)
    assert ours.peak < 400
    assert ours.parent_growth < 50


def _record_effort(name: str, path: Path, ours: Reading, load: float) -> None:
    figures: dict[str, Cell] = {
        "MB": path.stat().st_size / MB,
        "s": ours.seconds,
        "CPU s": ours.cpu,
        "peak of the child, MB": ours.peak,
        "growth of the parent, MB": ours.parent_growth,
        "reader": ours.reader,
    }
    record("effort", name, figures, load)
