"""What every extractor must do. Each extractor's tests inherit it and name a sample."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EmptyFile
from files.extraction.isolation.wire import HEADER, decode_piece, encode_piece
from files.extraction.limits import Limits
from files.extraction.options import Options
from files.extraction.reading import read_pieces
from files.extraction.registry import find


def read(path: Path, media_type: str, limits: Limits | None = None, options: Options | None = None) -> list[Piece]:
    """Return the pieces of a file, read in this process."""
    source = Source(path, path.name, media_type, options or Options())
    return list(read_pieces(find(media_type), source, limits or Limits()))


def segments(pieces: list[Piece]) -> list[Segment]:
    """Return the segments among `pieces`."""
    return [piece for piece in pieces if isinstance(piece, Segment)]


def text_of(pieces: list[Piece]) -> str:
    """Return all text of `pieces`."""
    return "\n".join(segment.text for segment in segments(pieces))


def facts(pieces: list[Piece]) -> dict[str, object]:
    """Return the metadata of `pieces`, later values over earlier ones."""
    return {key: value for piece in pieces if isinstance(piece, Metadata) for key, value in piece.values.items()}


def warnings_of(pieces: list[Piece]) -> list[str]:
    """Return the codes of the warnings among `pieces`."""
    return [piece.code for piece in pieces if isinstance(piece, PieceWarning)]


class ExtractorContract:
    """Inherited by the tests of each extractor."""

    media_type: ClassVar[str]
    ending: ClassVar[str]
    sample: ClassVar[bytes]
    says: ClassVar[str]

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        file = tmp_path / f"sample.{self.ending}"
        file.write_bytes(self.sample)
        return file

    def test_is_found_by_its_media_types(self) -> None:
        assert isinstance(find(self.media_type), Extractor)

    def test_gives_the_text_of_the_sample(self, path: Path) -> None:
        assert self.says in text_of(read(path, self.media_type))

    def test_segments_are_full_clean_and_placed(self, path: Path) -> None:
        found = segments(read(path, self.media_type))
        assert found
        for segment in found:
            assert segment.text.strip()
            assert "\x00" not in segment.text
            segment.text.encode("utf-8")
            _check_place(segment.place)

    def test_metadata_and_coverage_are_sound(self, path: Path) -> None:
        for piece in read(path, self.media_type):
            if isinstance(piece, Coverage):
                assert 0 <= piece.done <= piece.total
            if isinstance(piece, Metadata):
                assert all(isinstance(key, str) for key in piece.values)

    def test_every_piece_survives_the_wire(self, path: Path) -> None:
        for piece in read(path, self.media_type):
            assert decode_piece(encode_piece(piece)[HEADER.size :]) == piece

    def test_the_same_file_gives_the_same_pieces_twice(self, path: Path) -> None:
        assert read(path, self.media_type) == read(path, self.media_type)

    def test_an_empty_file_has_its_own_code(self, tmp_path: Path) -> None:
        file = tmp_path / f"empty.{self.ending}"
        file.write_bytes(b"")
        with pytest.raises(EmptyFile):
            read(file, self.media_type)

    @pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
    def test_a_truncated_file_is_read_in_part_or_refused_with_a_code(self, path: Path, share: float) -> None:
        path.write_bytes(self.sample[: max(1, int(len(self.sample) * share))])
        self.check_bounded(path)

    @pytest.mark.parametrize("seed", range(6))
    def test_a_damaged_file_is_read_in_part_or_refused_with_a_code(self, path: Path, seed: int) -> None:
        damaged = bytearray(self.sample)
        for at in range(seed, len(damaged), 97 + seed):
            damaged[at] ^= 0x5A
        path.write_bytes(damaged)
        self.check_bounded(path)

    def test_bytes_of_another_kind_are_refused_or_read(self, path: Path) -> None:
        path.write_bytes(bytes(range(256)) * 8)
        self.check_bounded(path)

    def check_bounded(self, path: Path) -> None:
        """Read a broken file: pieces or an ExtractionError with a code, and nothing else."""
        code, cause = "", None
        pieces: list[Piece] = []
        try:
            pieces = read(path, self.media_type)
        except ExtractionError as error:
            code, cause = error.code, error.__cause__
        assert code != "extraction_failed", repr(cause)
        complete = bool(facts(pieces)) and not find(self.media_type).expects_text
        assert code or segments(pieces) or warnings_of(pieces) or complete


def _check_place(place: Place) -> None:
    for number in (place.page, place.slide, place.line):
        assert number is None or number >= 1
    if place.line is not None:
        assert place.line_end is not None
        assert place.line_end >= place.line
    assert all(heading.strip() for heading in place.headings)
