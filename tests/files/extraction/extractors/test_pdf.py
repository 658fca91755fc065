from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.document import SegmentKind
from files.extraction.errors import MalformedFile, TooManyPages
from files.extraction.limits import Limits
from tests.files.extraction import samples
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of

PDF = "application/pdf"
PARAGRAPH = [
    (72.0, 700.0 - 14 * at, 11.0, f"Line {at} of a paragraph about the harbour and its ships.") for at in range(6)
]


class TestPdfExtractor(ExtractorContract):
    media_type = PDF
    ending = "pdf"
    sample = samples.pdf([[(72, 760, 20, "Harbour rules"), *PARAGRAPH], PARAGRAPH], title="Rules")
    says = "Line 3 of a paragraph about the harbour"

    def test_tells_the_page_of_each_segment(self, path: Path) -> None:
        assert {segment.place.page for segment in segments(read(path, PDF))} == {1, 2}

    def test_gives_title_author_and_pages(self, path: Path) -> None:
        found = facts(read(path, PDF))
        assert (found["title"], found["author"], found["page_count"]) == ("Rules", "A. Writer", 2)

    def test_larger_letters_make_a_heading_that_stays_for_the_next_page(self, path: Path) -> None:
        found = segments(read(path, PDF))
        assert found[0].kind is SegmentKind.HEADING
        assert found[0].text == "# Harbour rules"
        assert {segment.place.headings for segment in found[1:]} == {("Harbour rules",)}

    def test_more_pages_than_the_limit_keep_what_was_read(self, path: Path) -> None:
        pieces = read(path, PDF, Limits(pages=1))
        assert {segment.place.page for segment in segments(pieces)} == {1}
        assert warnings_of(pieces) == [TooManyPages.code]


def test_ruled_table_becomes_markdown_and_is_not_told_twice(tmp_path: Path) -> None:
    rules = "".join(f"72 {y} m 372 {y} l S\n" for y in (700, 680, 660, 640))
    rules += "".join(f"{x} 640 m {x} 700 l S\n" for x in (72, 172, 272, 372))
    cells = [("Port", "Ships", "Crew"), ("Hull", "12", "340"), ("Dover", "7", "95")]
    lines = [(76 + 100 * x, 686 - 20 * y, 10, text) for y, row in enumerate(cells) for x, text in enumerate(row)]
    path = samples.write(tmp_path / "t.pdf", samples.pdf([[(72, 760, 10, "Before it."), *lines]], drawing=rules))
    pieces = read(path, PDF)
    table = next(segment for segment in segments(pieces) if segment.kind is SegmentKind.TABLE)
    assert table.text.splitlines()[0] == "| Port | Ships | Crew |"
    assert "| Dover | 7 | 95 |" in table.text
    assert text_of(pieces).count("Dover") == 1
    assert "Before it." in text_of(pieces)


def test_columns_drawn_line_by_line_are_read_one_after_the_other(tmp_path: Path) -> None:
    lines = []
    for at in range(8):
        lines.append((50, 700 - 14 * at, 9, f"Left sentence {at} tells about the old town hall"))
        lines.append((320, 700 - 14 * at, 9, f"Right sentence {at} tells about the new town hall"))
    text = text_of(read(samples.write(tmp_path / "c.pdf", samples.pdf([lines])), PDF))
    assert text.index("Left sentence 7") < text.index("Right sentence 0")


def test_pictures_without_text_need_ocr(tmp_path: Path) -> None:
    pieces = read(samples.write(tmp_path / "scan.pdf", samples.scanned_pdf()), PDF)
    assert warnings_of(pieces) == ["needs_ocr"]
    assert not segments(pieces)


def test_junk_before_the_header_is_no_obstacle(tmp_path: Path) -> None:
    content = b"HTTP/1.1 200 OK\r\n\r\n" + samples.pdf([PARAGRAPH])
    assert "paragraph about" in text_of(read(samples.write(tmp_path / "j.pdf", content), PDF))


def test_a_header_alone_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        read(samples.write(tmp_path / "h.pdf", b"%PDF-1.7\n"), PDF)
