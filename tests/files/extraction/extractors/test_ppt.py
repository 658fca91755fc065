from __future__ import annotations

import struct
from pathlib import Path

import pytest

from files.extraction.document import SegmentKind
from files.extraction.errors import EncryptedFile
from tests.files.extraction.contract import ExtractorContract, facts, read, segments
from tests.files.extraction.old_office_samples import atom, ole, presentation, text_box
from tests.files.extraction.samples import write

PPT = "application/vnd.ms-powerpoint"
STREAMS = presentation(
    [[text_box("First things", 0), text_box("One\rTwo")], [text_box("Last word")]], notes={0: "Speak slowly"}
)


class TestPpt(ExtractorContract):
    media_type = PPT
    ending = "ppt"
    sample = ole(STREAMS)
    says = "First things"


def test_slides_have_their_number_title_and_notes(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "a.ppt", ole(STREAMS)), PPT)
    assert [(s.text, s.kind, s.place.slide) for s in segments(pieces)] == [
        ("## First things", SegmentKind.HEADING, 1),
        ("One\nTwo", SegmentKind.PARAGRAPH, 1),
        ("Speak slowly", SegmentKind.NOTE, 1),
        ("Last word", SegmentKind.PARAGRAPH, 2),
    ]
    assert facts(pieces)["slide_count"] == 2


def test_the_form_for_newer_programs_is_read_where_there_are_two(tmp_path: Path) -> None:
    both = {"PowerPoint Document": b"\x0f\x00\xff", **{f"PP97_DUALSTORAGE/{k}": v for k, v in STREAMS.items()}}
    assert segments(read(write(tmp_path / "a.ppt", ole(both)), PPT))[0].text == "## First things"


def test_a_password_is_told(tmp_path: Path) -> None:
    locked = STREAMS | {"Current User": atom(4086, struct.pack("<III", 20, 0xF3D1C4DF, 0))}
    with pytest.raises(EncryptedFile):
        read(write(tmp_path / "a.ppt", ole(locked)), PPT)
