from __future__ import annotations

import time
from pathlib import Path

import pytest

from files.extraction.document import SegmentKind
from files.extraction.formats.office.rtf_text import RtfReader
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

RTF = "application/rtf"
SAMPLE = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Times;}{\f1\fcharset128 Mincho;}{\f2\fcharset238 CE;}
{\f3\fcharset2 Symbol;}}
{\colortbl;\red0\green0\blue0;}{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 Titre 1;}{\s2 heading 2;}}
{\info{\title The \'e9tude}{\author A. Writer}{\creatim\yr2020\mo2\dy3\hr4\min5}{\nofpages7}}
{\header Confidential\par}{\*\generator Nobody;}
\pard\s1 Opening\par
\pard\plain Plain caf\'e9 \u8364\'80 and \uc2\u8364\'80\'80 too.\par
\pard\s2 Details\par
\pard A link: {\field{\*\fldinst{HYPERLINK "http://example.org"}}{\fldrslt here}}.\par
{\f1\'93\'8c\'8b\'9e}{\f2 \'e8}\par
{\listtext\f3\'b7\tab}A point\par
Noted{\footnote A note.}\par
{\v hidden}{\deleted gone}Shown\par
\trowd\intbl Name\cell Sum\cell\row\trowd\intbl Ann\cell 12\cell\row
\pard{\pict\wmetafile8 0102030405060708}{\object{\*\objdata 0a0b0c}{\result Object}}\par
}"""


class TestRtf(ExtractorContract):
    media_type = RTF
    ending = "rtf"
    sample = SAMPLE
    says = "Plain café € and € too."


def pieces_of(tmp_path: Path, content: bytes) -> str:
    return text_of(read(write(tmp_path / "a.rtf", content), RTF))


def test_headings_come_from_styles_whatever_they_are_called(tmp_path: Path) -> None:
    found = segments(read(write(tmp_path / "a.rtf", SAMPLE), RTF))
    assert [s.text for s in found if s.kind is SegmentKind.HEADING] == ["# Opening", "## Details"]
    assert found[-2].place.headings == ("Opening", "Details")


def test_what_is_not_shown_is_left_out(tmp_path: Path) -> None:
    text = pieces_of(tmp_path, SAMPLE)
    for absent in ("hidden", "gone", "HYPERLINK", "0102", "0a0b", "Mincho", "Nobody", "Normal"):
        assert absent not in text
    assert "A link: here." in text


def test_fonts_decide_on_the_encoding_of_their_text(tmp_path: Path) -> None:
    text = pieces_of(tmp_path, SAMPLE)
    assert "東京č" in text
    assert "•\tA point" in text


def test_cells_make_a_table_and_notes_follow_their_paragraph(tmp_path: Path) -> None:
    text = pieces_of(tmp_path, SAMPLE)
    assert "| Name | Sum |\n| --- | --- |\n| Ann | 12 |" in text
    assert "Noted\nA note." in text
    assert text.endswith("Confidential")


def test_metadata(tmp_path: Path) -> None:
    found = facts(read(write(tmp_path / "a.rtf", SAMPLE), RTF))
    assert found == {"title": "The étude", "author": "A. Writer", "created": "2020-02-03T04:05:00", "page_count": 7}


def test_a_mark_inside_a_group_hides_nothing(tmp_path: Path) -> None:
    assert "quick fox" in pieces_of(tmp_path, rb"{\rtf1 {\f2\i0\*\cs7\cf0 quick fox}\par}")


def test_characters_beyond_the_first_plane(tmp_path: Path) -> None:
    assert "𐌲𐌿" in pieces_of(tmp_path, rb"{\rtf1\uc0 \u-10240\u-8398\u55296\u57151}")


@pytest.mark.parametrize(
    "content",
    [
        rb"{\rtf1 start \bin2000000000 x tail}",
        b"{\\rtf1 start" + b"{" * 200_000 + b" x tail" + b"}" * 200_000 + b"}",
        b"{\\rtf1 start" + rb"\'80" * 100_000 + b" x tail}",
        b"{\\rtf1 {\\pict " + b"0a" * 500_000 + b"} start x tail}",
    ],
    ids=["binary size", "depth", "escapes", "picture"],
)
def test_what_is_out_of_proportion_is_read_in_linear_time(tmp_path: Path, content: bytes) -> None:
    started = time.thread_time()
    assert "x tail" in pieces_of(tmp_path, content)
    assert time.thread_time() - started < 20


def test_a_document_without_its_end_says_so(tmp_path: Path) -> None:
    assert warnings_of(read(write(tmp_path / "a.rtf", SAMPLE[: SAMPLE.index(b"Noted") + 3]), RTF)) == ["truncated"]
    assert warnings_of(read(write(tmp_path / "a.rtf", SAMPLE), RTF)) == []


def test_html_in_disguise_comes_out() -> None:
    body = (
        rb"{\rtf1\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\b \htmlrtf0 Hello \htmlrtf }\htmlrtf0 {\*\htmltag <b>}x"
        rb"{\*\htmltag </b></p>}}"
    )
    assert "".join(block.text for block in RtfReader(body, as_html=True).blocks()) == "<p>Hello <b>x</b></p>"
