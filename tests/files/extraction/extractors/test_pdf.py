from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.annotations import Link, Text
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, RectangleObject, TextStringObject

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, SegmentKind, Thumbnail
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile, TooManyPages
from files.extraction.extractors import pdf
from files.extraction.extractors.pdf_plumber import PdfplumberExtractor
from files.extraction.extractors.pdf_pypdf import PypdfExtractor
from files.extraction.formats.pdf.pdf_extras import iso_time
from files.extraction.limits import Limits
from files.extraction.ocr import reading
from files.extraction.options import Options
from files.extraction.reading import read_pieces
from files.extraction.registry import find
from tests.files.extraction import media_samples, samples
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.ocr.fake import FakeRecognizer

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
    pieces = read(samples.write(tmp_path / "scan.pdf", samples.scanned_pdf()), PDF, options=Options(ocr="off"))
    assert warnings_of(pieces) == ["needs_ocr"]
    assert not segments(pieces)


def use(monkeypatch: pytest.MonkeyPatch, *pages: str, fails: bool = False) -> None:
    fake = FakeRecognizer(list(pages), fails=fails)
    monkeypatch.setattr(reading, "recognizer", lambda _choice: fake)


def scan(pages: int) -> bytes:
    frames = [Image.new("RGB", (60, 80), "white") for _ in range(pages)]
    return media_samples.saved(frames[0], "PDF", save_all=True, append_images=frames[1:])


def test_a_page_that_is_a_picture_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "Harbour rules", "Second page")
    pieces = read(samples.write(tmp_path / "scan.pdf", scan(2)), PDF)
    assert [(segment.text, segment.place.page) for segment in segments(pieces)] == [
        ("Harbour rules", 1),
        ("Second page", 2),
    ]
    assert not warnings_of(pieces)
    assert facts(pieces)["ocr"] is True


def test_progress_is_told_from_the_first_page_on_and_with_each_slow_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, *map(str, range(12)))
    monkeypatch.setattr(pdf, "_PROGRESS_SECONDS", 1000.0)
    fast = read(samples.write(tmp_path / "scan.pdf", scan(12)), PDF)
    monkeypatch.setattr(pdf, "_PROGRESS_SECONDS", 0.0)
    slow = read(samples.write(tmp_path / "scan.pdf", scan(12)), PDF)

    assert [piece.done for piece in fast if isinstance(piece, Coverage)] == [1, 10, 12]
    assert [piece.done for piece in slow if isinstance(piece, Coverage)] == list(range(1, 13))


@pytest.mark.parametrize("fails", [True, False])
def test_pages_that_could_not_be_recognised_are_named(
    fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, "Harbour rules", fails=fails)
    pieces = read(samples.write(tmp_path / "scan.pdf", scan(3)), PDF, Limits(ocr_pages=1))
    (warning,) = [piece for piece in pieces if isinstance(piece, PieceWarning)]
    assert warning.code == "needs_ocr"
    assert ("(pages 1, 2, 3)" if fails else "(pages 2, 3)") in warning.message


def written(change: Callable[[PdfWriter], object]) -> bytes:
    """A PDF of one page that `change` was applied to."""
    writer = PdfWriter(io.BytesIO(samples.pdf([PARAGRAPH])))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_tells_bookmarks_and_links(tmp_path: Path) -> None:
    def change(writer: PdfWriter) -> None:
        above = writer.add_outline_item(title="Harbour", page_number=0)
        writer.add_outline_item(title="Berths", page_number=0, parent=above)
        writer.add_annotation(0, Link(rect=(50, 50, 90, 90), url="https://harbour.example/rules"))

    found = facts(read(samples.write(tmp_path / "x.pdf", written(change)), PDF))
    assert found["outline"] == [
        {"title": "Harbour", "level": 1, "page": 1},
        {"title": "Berths", "level": 2, "page": 1},
    ]
    assert found["links"] == ["https://harbour.example/rules"]


def test_comments_are_notes(tmp_path: Path) -> None:
    note = Text(rect=(50, 50, 90, 90), text="Check the berth numbers", title_bar="Anna")
    path = samples.write(tmp_path / "x.pdf", written(lambda writer: writer.add_annotation(0, note)))
    assert "Comment by Anna: Check the berth numbers" in text_of(read(path, PDF))


def test_what_is_filled_into_a_form_is_told_with_its_name(tmp_path: Path) -> None:
    def change(writer: PdfWriter) -> None:
        field = DictionaryObject({
            NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Widget"),
            NameObject("/FT"): NameObject("/Tx"), NameObject("/T"): TextStringObject("Boat"),
            NameObject("/V"): TextStringObject("The Heron"), NameObject("/Rect"): RectangleObject((50, 50, 90, 70)),
        })  # fmt: skip
        reference = writer._add_object(field)
        writer.pages[0][NameObject("/Annots")] = ArrayObject([reference])
        form = DictionaryObject({NameObject("/Fields"): ArrayObject([reference])})
        writer.root_object[NameObject("/AcroForm")] = form

    pieces = read(samples.write(tmp_path / "x.pdf", written(change)), PDF)
    assert "Boat: The Heron" in text_of(pieces)
    assert facts(pieces)["form_fields"] == ["Boat"]


def test_an_attached_file_is_read_as_what_it_is(tmp_path: Path) -> None:
    content = written(lambda writer: writer.add_attachment("tides.txt", "High water at noon."))
    path = samples.write(tmp_path / "x.pdf", content)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    pieces = list(read_pieces(find(PDF), Source(path, path.name, PDF, scratch=scratch), Limits()))
    (inside,) = [segment for segment in segments(pieces) if segment.place.part]
    assert (inside.text, inside.place.part) == ("High water at noon.", ("tides.txt",))
    assert facts(pieces)["attachments"] == ["tides.txt"]


def test_a_password_is_told_and_an_empty_one_is_tried(tmp_path: Path) -> None:
    closed = written(lambda writer: writer.encrypt("secret", "owner", algorithm="RC4-128"))
    with pytest.raises(EncryptedFile):
        read(samples.write(tmp_path / "closed.pdf", closed), PDF)
    opened = written(lambda writer: writer.encrypt("", "owner", algorithm="RC4-128"))
    assert "harbour" in text_of(read(samples.write(tmp_path / "open.pdf", opened), PDF))


def test_the_first_page_is_the_thumbnail(path_of_two_pages: Path) -> None:
    (small,) = [piece for piece in read(path_of_two_pages, PDF) if isinstance(piece, Thumbnail)]
    assert max(small.width, small.height) == 320
    unwanted = read(path_of_two_pages, PDF, options=Options(thumbnails=False))
    assert not any(isinstance(piece, Thumbnail) for piece in unwanted)


@pytest.fixture
def path_of_two_pages(tmp_path: Path) -> Path:
    return samples.write(tmp_path / "two.pdf", samples.pdf([PARAGRAPH, PARAGRAPH]))


@pytest.mark.parametrize("extractor", [PypdfExtractor(), PdfplumberExtractor()])
def test_the_readers_that_take_over_give_pages(extractor: Extractor, path_of_two_pages: Path) -> None:
    source = Source(path_of_two_pages, "two.pdf", PDF)
    pieces = list(read_pieces(extractor, source, Limits()))
    assert {segment.place.page for segment in segments(pieces)} == {1, 2}
    assert "Line 3 of a paragraph about the harbour" in text_of(pieces)
    assert facts(pieces)["page_count"] == 2
    assert warnings_of(list(read_pieces(extractor, source, Limits(pages=1)))) == [TooManyPages.code]


@pytest.mark.parametrize("extractor", [PypdfExtractor(), PdfplumberExtractor()])
def test_the_readers_that_take_over_refuse_what_is_no_pdf(extractor: Extractor, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "h.pdf", b"%PDF-1.7\nnothing")
    with pytest.raises(MalformedFile):
        list(read_pieces(extractor, Source(path, "h.pdf", PDF), Limits()))


@pytest.mark.parametrize(
    ("told", "time"),
    [
        ("D:20240305101500+01'00'", "2024-03-05T10:15:00+01:00"),
        ("D:20240305101500Z", "2024-03-05T10:15:00Z"),
        ("D:20240305", "2024-03-05"),
        ("20240305101500", "2024-03-05T10:15:00"),
        ("last spring", "last spring"),
    ],
)
def test_dates_are_told_as_iso_8601(told: str, time: str) -> None:
    assert iso_time(told) == time


def test_junk_before_the_header_is_no_obstacle(tmp_path: Path) -> None:
    content = b"HTTP/1.1 200 OK\r\n\r\n" + samples.pdf([PARAGRAPH])
    assert "paragraph about" in text_of(read(samples.write(tmp_path / "j.pdf", content), PDF))


def test_a_header_alone_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile):
        read(samples.write(tmp_path / "h.pdf", b"%PDF-1.7\n"), PDF)
