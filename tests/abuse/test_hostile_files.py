"""Hostile files through the real sandbox: each ends in time, within memory, with text or with a code and a sentence."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from files.extraction.base import ExtractionError, Source
from files.extraction.detection import detect
from files.extraction.document import Metadata, Piece, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.isolation import fork_server
from files.extraction.limits import MIB, Limits
from files.extraction.sandbox import extract_in_sandbox
from tests.abuse import hostile_samples

LIMITS = Limits(wall_seconds=25, cpu_seconds=20)
WALL_SECONDS = 30 + 5
TEXT_BYTES = 20 * 10**6
SET = Path(__file__).resolve().parents[2] / "../shared/corpus/make_hostile.py"
SECRET = "what the worker alone may read"
CRASHES_ALLOWED = 0.02
"""Of all files, how many may end as `reader_crashed`: a reader in C may fall over, but hardly ever does."""


@dataclass
class Ending:
    """How the reading of one file ended."""

    seconds: float = 0.0
    code: str = ""
    message: str = ""
    pieces: list[Piece] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text that came out."""
        return "\n".join(piece.text for piece in self.pieces if isinstance(piece, Segment))

    @property
    def codes(self) -> set[str]:
        """The error's code and those of warnings."""
        return {self.code, *(piece.code for piece in self.pieces if isinstance(piece, PieceWarning))} - {""}


class _Peaks(logging.Handler):
    """Collects what each reading process took at most."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.largest = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.largest = max(self.largest, getattr(record, "peak_bytes", 0))


@pytest.fixture
def peaks() -> Iterator[_Peaks]:
    log, peaks = logging.getLogger("files.extraction.sandbox"), _Peaks()
    level = log.level
    log.addHandler(peaks)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    yield peaks
    log.propagate = True
    log.removeHandler(peaks)
    log.setLevel(level)


def ending_of(path: Path) -> Ending:
    """Read a file as the pipeline does."""
    ending, began = Ending(), time.monotonic()
    try:
        source = Source(path, path.name, detect(path).media_type)
        for piece in extract_in_sandbox(source, LIMITS):
            ending.pieces.append(piece)
    except ExtractionError as error:
        ending.code, ending.message = error.code, error.message
    ending.seconds = time.monotonic() - began
    return ending


def faults_of(ending: Ending) -> Iterator[str]:
    """Yield what no file may do."""
    if ending.seconds > WALL_SECONDS:
        yield f"took {ending.seconds:.0f} s"
    if not ending.code and not ending.pieces:
        yield "ended without a word"
    if ending.code and not ending.message.endswith("."):
        yield f"{ending.code} without a sentence"
    text = ending.text
    facts = json.dumps(
        [piece.values for piece in ending.pieces if isinstance(piece, Metadata)], ensure_ascii=False, default=str
    )
    if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES:
        yield f"{len(text)} characters of text"
    if "\x00" in text or "\\u0000" in facts or any("\ud800" <= char <= "\udfff" for char in text + facts):
        yield "characters that the database refuses"
    if SECRET in text + facts:
        yield "told another file's content"


@pytest.mark.timeout(300)
def test_own_hostile_files_end_well(tmp_path: Path, peaks: _Peaks) -> None:
    canary = tmp_path / "canary"
    canary.write_text(SECRET)
    server, faults = fork_server.server_pid(), []
    for sample in hostile_samples.all_samples(str(canary)):
        path = tmp_path / sample.name
        path.write_bytes(sample.content)
        ending = ending_of(path)
        faults += [f"{sample.name}: {fault}" for fault in faults_of(ending)]
        if sample.refused and not ending.code:
            faults.append(f"{sample.name}: was read")
        if sample.says and ending.code != "unsupported_format" and sample.says not in ending.text:
            faults.append(f"{sample.name}: text is missing ({ending.code})")
        path.unlink()
    assert faults == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["canary"]
    assert peaks.largest <= LIMITS.memory_bytes
    assert fork_server.server_pid() == server


@pytest.mark.skipif(not SET.exists(), reason="the shared hostile set is not here")
@pytest.mark.timeout(600)
def test_the_shared_hostile_set_ends_well(tmp_path: Path, peaks: _Peaks) -> None:
    folder = tmp_path / "hostile"
    subprocess.run([sys.executable, str(SET), str(folder)], check=True, stdout=subprocess.DEVNULL)
    cases: list[dict[str, Any]] = json.loads((folder / "expected.json").read_text())["cases"]
    server = fork_server.server_pid()
    with ThreadPoolExecutor(2) as pool:
        endings = list(pool.map(lambda case: ending_of(folder / case["path"]), cases))
    pairs = list(zip(cases, endings, strict=True))
    faults = [f"{case['path']}: {fault}" for case, ending in pairs for fault in _case_faults(case, ending)]
    assert faults == []
    assert sum("reader_crashed" in ending.codes for ending in endings) <= CRASHES_ALLOWED * len(cases)
    assert peaks.largest <= 1024 * MIB
    assert fork_server.server_pid() == server


def _case_faults(case: dict[str, Any], ending: Ending) -> Iterator[str]:
    yield from faults_of(ending)
    if case["expect"] == "reject" and not ending.codes:
        yield f"was read: {ending.text[:60]!r}"
    for word in case.get("contains", ()):
        if ending.code != "unsupported_format" and word not in ending.text:
            yield f"lacks {word!r} ({ending.code})"
    for word in case.get("not_contains", ()):
        if word in ending.text:
            yield f"has {word!r}"
