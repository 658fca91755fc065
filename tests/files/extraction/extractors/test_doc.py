from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.base import Source
from files.extraction.document import Child, SegmentKind
from files.extraction.errors import EncryptedFile
from files.extraction.limits import Limits
from files.extraction.registry import find
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.old_office_samples import IN_TABLE, ROW_END, Words, ole, summary, word
from tests.files.extraction.samples import write

DOC = "application/msword"
BODY = [
    Words("Annual report\r", style=1),
    Words("The café made a profit.\r"),
    Words("Struck out\r", deleted=True),
    Words('See \x13 HYPERLINK "http://example.org/a" \x14the site\x15 for more.\r'),
    Words("\x13 EQ \\* jc2 \\o\\ad(\\s\\up 9(reading),base)\x15\r"),
    Words("Name\x07", settings=IN_TABLE),
    Words("Sum\x07", settings=IN_TABLE),
    Words("\x07", settings=ROW_END),
    Words("Ann\x07", settings=IN_TABLE),
    Words("12\x07", settings=IN_TABLE),
    Words("\x07", settings=ROW_END),
    Words("Second part\r", settings=b"\x40\x26\x01"),
]
STREAMS = word(
    BODY, footnotes=[Words("\x02 A footnote.\r")], headers=[Words("Confidential\r"), Words("Confidential\r")]
)


def doc(tmp_path: Path, **streams: bytes) -> Path:
    named = {"\x05SummaryInformation": summary("Café", "A. Writer")} | STREAMS | streams
    return write(tmp_path / "sample.doc", ole(named))


class TestDoc(ExtractorContract):
    media_type = DOC
    ending = "doc"
    sample = ole(STREAMS)
    says = "The café made a profit."


def test_headings_come_from_styles_and_outline_levels(tmp_path: Path) -> None:
    found = [s.text for s in segments(read(doc(tmp_path), DOC)) if s.kind is SegmentKind.HEADING]
    assert found == ["# Annual report", "## Second part"]


def test_deleted_text_is_left_out_and_fields_show_their_result(tmp_path: Path) -> None:
    text = text_of(read(doc(tmp_path), DOC))
    assert "Struck" not in text
    assert "See [the site](http://example.org/a) for more." in text
    assert "base (reading)" in text


def test_cells_make_a_table(tmp_path: Path) -> None:
    assert "| Name | Sum |\n| --- | --- |\n| Ann | 12 |" in text_of(read(doc(tmp_path), DOC))


def test_notes_follow_the_body_and_headers_come_once(tmp_path: Path) -> None:
    notes = [s.text for s in segments(read(doc(tmp_path), DOC)) if s.kind is SegmentKind.NOTE]
    assert notes == ["A footnote.", "Confidential"]


def test_pieces_of_two_bytes_keep_every_script(tmp_path: Path) -> None:
    streams = word([Words("東京 and 𐌲𐌿\r"), Words("next\r")], wide=True)
    assert segments(read(doc(tmp_path, **streams), DOC))[0].text == "東京 and 𐌲𐌿"


def test_properties_are_read_in_their_code_page(tmp_path: Path) -> None:
    found = facts(read(doc(tmp_path), DOC))
    assert (found["title"], found["author"]) == ("Café", "A. Writer")
    assert str(found["created"]).startswith("2019-")


def test_a_password_is_told(tmp_path: Path) -> None:
    main = bytearray(STREAMS["WordDocument"])
    main[11] |= 1
    with pytest.raises(EncryptedFile):
        read(doc(tmp_path, WordDocument=bytes(main)), DOC)


def test_a_packed_file_inside_is_given_out(tmp_path: Path) -> None:
    path = doc(tmp_path, **{"ObjectPool/_1/Package": b"PK\x03\x04"})
    pieces = find(DOC).extract(Source(path, "a.doc", DOC), Limits())
    assert [b"".join(piece.chunks) for piece in pieces if isinstance(piece, Child)] == [b"PK\x03\x04"]
