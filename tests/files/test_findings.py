"""What is kept of a reading."""

from __future__ import annotations

from files.extraction.document import Coverage, Metadata, Piece, Place, ReadBy, Segment, Thumbnail
from files.extraction.document import Warning as PieceWarning
from files.findings import Findings, place_as_json, place_from_json

PIECES: list[Piece] = [
    ReadBy("pdf_pypdf", (("pdf", "malformed"),)),
    Metadata({"title": "First", "language": "de"}),
    Segment("one"),
    Coverage("pages", 1, 2),
    Segment("two", place=Place(page=2, part=("a.zip", "b.pdf"), headings=("H",))),
    Metadata({"title": "Second"}),
    PieceWarning("needs_ocr", "Page 2 is a picture.", Place(page=2)),
    Thumbnail(b"x", "image/webp", 1, 1),
    Coverage("pages", 2, 2),
]


def test_everything_but_segments_is_noted_and_later_values_win() -> None:
    findings = Findings()

    assert [segment.text for segment in findings.segments_of(PIECES)] == ["one", "two"]
    assert findings.metadata == {
        "title": "Second",
        "language": "de",
        "coverage": {"unit": "pages", "done": 2, "total": 2},
    }
    assert findings.warnings == [{"code": "needs_ocr", "message": "Page 2 is a picture.", "place": {"page": 2}}]
    assert (findings.segments, findings.characters, findings.language) == (2, 6, "de")
    assert findings.thumbnail is not None


def test_the_sentence_names_the_readers_and_the_coverage() -> None:
    findings = Findings()
    list(findings.segments_of(PIECES))

    assert findings.sentence() == "Read by pdf_pypdf after pdf gave up (malformed): 2 of 2 pages."


def test_warnings_are_bounded() -> None:
    findings = Findings()
    list(findings.segments_of([PieceWarning("x", "y")] * 1000))

    assert len(findings.warnings) == 200


def test_a_place_survives_being_stored() -> None:
    place = Place(part=("a.zip",), row=1, row_end=9, cell=2, headings=("A", "B"))

    assert place_from_json(place_as_json(place)) == place


def test_only_a_language_tag_is_a_language() -> None:
    for told, kept in (("pt-BR", "pt-BR"), ("en", "en"), ("C++", ""), ("Python", ""), ("", "")):
        findings = Findings()
        list(findings.segments_of([Metadata({"language": told})]))
        assert findings.language == kept
