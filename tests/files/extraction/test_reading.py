from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.document import Piece, Segment
from files.extraction.errors import MalformedFile, OutputLimit
from files.extraction.limits import Limits
from files.extraction.reading import read_pieces
from tests.files.extraction.contract import text_of, warnings_of


class Scripted(Extractor):
    """Yields so many segments, then raises."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.count, self.error = count, error

    def extract(self, _source: Source, _limits: Limits, /) -> Iterator[Piece]:
        for at in range(self.count):
            yield Segment(f"segment {at}")
        if self.error:
            raise self.error


def run(tmp_path: Path, extractor: Extractor, limits: Limits | None = None) -> list[Piece]:
    path = tmp_path / "x"
    path.write_bytes(b"x")
    return list(read_pieces(extractor, Source(path, "x", "text/plain"), limits or Limits()))


def test_an_error_before_any_text_is_raised(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        run(tmp_path, Scripted(0, MalformedFile()))


def test_an_error_after_text_is_a_warning_at_the_end(tmp_path: Path) -> None:
    pieces = run(tmp_path, Scripted(2, MalformedFile()))
    assert text_of(pieces) == "segment 0\nsegment 1"
    assert warnings_of(pieces) == ["malformed"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(MemoryError(), "memory_limit"), (KeyError("r"), "extraction_failed"), (RecursionError(), "extraction_failed")],
)
def test_any_error_of_a_reader_becomes_one_of_ours(tmp_path: Path, error: BaseException, code: str) -> None:
    with pytest.raises(ExtractionError) as raised:
        run(tmp_path, Scripted(0, error))
    assert raised.value.code == code


def test_more_text_than_the_limit_ends_with_what_fitted(tmp_path: Path) -> None:
    pieces = run(tmp_path, Scripted(100), Limits(output_bytes=25, output_floor=25))
    assert text_of(pieces) == "segment 0\nsegment 1"
    assert warnings_of(pieces) == [OutputLimit.code]


def test_a_file_without_text_is_told(tmp_path: Path) -> None:
    assert warnings_of(run(tmp_path, Scripted(0))) == ["no_text"]
