"""Files inside files: read by their own type, within one budget, and never at the cost of the file that holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from files.extraction.base import Extractor, Source
from files.extraction.document import Child, Piece, Place, Segment
from files.extraction.limits import Limits
from files.extraction.reading import read_pieces
from files.extraction.sandbox import extract_in_sandbox
from tests.files.extraction.contract import facts, segments, text_of, warnings_of
from tests.files.extraction.samples import zipped


class Holder(Extractor):
    """Says a word, then hands out the children it was given."""

    def __init__(self, *children: Child) -> None:
        self.children = children

    def extract(self, _source: Source, _limits: Limits, /) -> Iterator[Piece]:
        yield Segment("cover letter")
        yield from self.children


def run(tmp_path: Path, *children: Child, limits: Limits | None = None, scratch: bool = True) -> list[Piece]:
    path = tmp_path / "holder"
    path.write_bytes(b"x")
    folder = tmp_path / "scratch"
    folder.mkdir()
    source = Source(path, "holder", "text/plain", scratch=folder if scratch else None)
    pieces = list(read_pieces(Holder(*children), source, limits or Limits()))
    assert list(folder.iterdir()) == []
    return pieces


def listed(pieces: list[Piece]) -> list[dict[str, object]]:
    children = facts(pieces)["children"]
    assert isinstance(children, list)
    return children


def test_text_of_a_child_carries_its_name_and_its_own_place(tmp_path: Path) -> None:
    pieces = run(tmp_path, Child("notes.txt", [b"first\nsec", b"ond"], Place(page=3)))

    own, inner = segments(pieces)
    assert own.place == Place()
    assert inner.text == "first\nsecond"
    assert inner.place == Place(part=("notes.txt",), page=3, line=1, line_end=2)


def test_the_type_of_a_child_is_found_by_content(tmp_path: Path) -> None:
    pieces = run(tmp_path, Child("picture.bin", [json.dumps({"colour": "teal"}).encode()]))

    assert "teal" in text_of(pieces)
    (child,) = listed(pieces)
    assert child == {"name": "picture.bin", "depth": 1, "size": 18, "media_type": "application/json", "read": True}


def test_a_child_of_an_unknown_type_is_listed_and_the_file_stays_whole(tmp_path: Path) -> None:
    pieces = run(tmp_path, Child("setup.exe", [b"MZ\x00\x00" + bytes(200)]))

    assert warnings_of(pieces) == []
    (child,) = listed(pieces)
    assert child["read"] is False


def test_a_broken_child_is_a_warning_at_its_place(tmp_path: Path) -> None:
    pieces = run(tmp_path, Child("a.docx", [b"PK\x03\x04 cut off"]), Child("b.txt", [b"still read"]))

    assert "still read" in text_of(pieces)
    assert len(warnings_of(pieces)) <= 1


@pytest.mark.parametrize(
    "limits", [Limits(child_bytes=10), Limits(children=1), Limits(child_depth=0)], ids=["bytes", "count", "depth"]
)
def test_what_is_beyond_the_budget_is_named(tmp_path: Path, limits: Limits) -> None:
    pieces = run(tmp_path, Child("1.txt", [b"eight ch"]), Child("2.txt", [b"eight ch"]), limits=limits)

    assert "cover letter" in text_of(pieces)
    assert warnings_of(pieces)
    assert text_of(pieces).count("eight ch") < 2


def test_an_endless_child_ends_at_the_budget(tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1 << 16)

    pieces = run(tmp_path, Child("bomb.txt", endless()), limits=Limits(child_bytes=1 << 20))

    assert "cover letter" in text_of(pieces)
    assert warnings_of(pieces) == ["limit_reached"]


def test_without_a_place_to_unpack_a_child_is_named(tmp_path: Path) -> None:
    assert warnings_of(run(tmp_path, Child("a.txt", [b"x"]), scratch=False)) == ["child_not_read"]


def test_an_archive_inside_a_document_is_opened(tmp_path: Path) -> None:
    inner = zipped({"inner.txt": "deep words"})
    pieces = run(tmp_path, Child("a.zip", [zipped({"tides.txt": "High at noon", "b.zip": inner})]))

    places = {segment.text: segment.place.part for segment in segments(pieces)}
    assert places["High at noon"] == ("a.zip", "tides.txt")
    assert places["deep words"] == ("a.zip", "b.zip", "inner.txt")


def test_an_empty_child_is_listed_and_no_more(tmp_path: Path) -> None:
    pieces = run(tmp_path, Child("nothing.pdf", []))

    assert warnings_of(pieces) == []
    assert [(child["name"], child["size"], child["read"]) for child in listed(pieces)] == [("nothing.pdf", 0, False)]


def test_a_name_is_data(tmp_path: Path) -> None:
    pieces = run(tmp_path, Child("../../etc/pass\x00wd\ud800", [b"text"]))

    (inner,) = segments(pieces)[1:]
    assert inner.place.part[0].startswith("../../etc/passwd")


def test_the_sandbox_gives_a_reading_its_own_folder(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    path.write_bytes(b"words")
    source = Source(path, path.name, "text/plain")

    assert text_of(list(extract_in_sandbox(replace(source, scratch=tmp_path / "never used")))) == "words"
    assert not (tmp_path / "never used").exists()
