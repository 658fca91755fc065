"""PDF through PDFium, page by page; pdfplumber where PDFium cannot."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile, TooManyPages
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits
from files.extraction.markdown_table import table_chunks
from files.extraction.pdf_lines import PageLine, joined, page_lines
from files.extraction.pdf_tables import RuledTable, ruled_tables

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_FACTS = {
    "Title": "title",
    "Author": "author",
    "Subject": "subject",
    "Keywords": "keywords",
    "Creator": "application",
    "Producer": "producer",
    "CreationDate": "created",
    "ModDate": "modified",
}
_LITTLE_TEXT = 20
_SEGMENT_CHARS = 1_500
_HEADING_RATIO = 1.15
_HEADING_CHARS = 160
_PARAGRAPH_GAP = 1.7
_KEPT_WORDS = 0.9
_PROGRESS_PAGES = 10
_ANNOTATION_CHARS = 20_000


class PdfExtractor(Extractor):
    """Reads the text layer. Pages that are only pictures are counted and told, not guessed at."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield segments per page, with their page and the headings that larger letters make. The first error codes
        are `encrypted` and `malformed`; a page that cannot be loaded is a warning `page_unreadable`.
        """
        document = _open(source)
        if document is None:
            yield from _read_with_pdfplumber(source, limits)
            return
        try:
            yield from _Reading(document, limits).pieces()
        finally:
            document.close()


def _open(source: Source) -> PdfDocument | None:
    """Return the document, None when PDFium cannot open it. Raises EncryptedFile; an empty password is tried first."""
    from pypdfium2 import PdfDocument, PdfiumError, raw

    try:
        return PdfDocument(source.path)
    except PdfiumError as exc:
        if exc.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise EncryptedFile from exc
        return None


class _Reading:
    """One document, page after page."""

    def __init__(self, document: PdfDocument, limits: Limits) -> None:
        self._document = document
        self._limits = limits
        self._headings = HeadingPath()
        self._sizes: Counter[float] = Counter()
        self._pictures: list[int] = []
        self._unreadable: list[int] = []

    def pieces(self) -> Iterator[Piece]:
        """Yield facts, pages and what could not be read."""
        total = len(self._document)
        facts = self._document.get_metadata_dict(skip_empty=True)
        yield Metadata({"page_count": total, **{_FACTS[key]: value for key, value in facts.items() if key in _FACTS}})
        for number in range(1, total + 1):
            if number > self._limits.pages:
                raise TooManyPages(f"This document has {total} pages; the limit is {self._limits.pages}.")
            yield from self._page(number)
            if number % _PROGRESS_PAGES == 0 or number == total:
                yield Coverage("pages", number - len(self._pictures) - len(self._unreadable), total)
        yield from self._warnings(total)

    def _page(self, number: int) -> Iterator[Piece]:
        from pypdfium2 import PdfiumError

        try:
            page = self._document[number - 1]
        except PdfiumError:
            self._unreadable.append(number)
            return
        try:
            text = page.get_textpage()
            lines = page_lines(text)
            if sum(len(line.text) for line in lines) < _LITTLE_TEXT and _has_picture(page):
                self._pictures.append(number)
            tables = ruled_tables(page, text) if lines else []
            yield from self._segments(number, lines, tables)
            yield from _annotations(page, number)
        except PdfiumError:
            self._unreadable.append(number)
        finally:
            page.close()

    def _segments(self, number: int, lines: list[PageLine], tables: list[RuledTable]) -> Iterator[Segment]:
        for line in lines:
            self._sizes[line.height] += len(line.text)
        body = self._sizes.most_common(1)[0][0] if self._sizes else 0.0
        for run in _runs(lines, tables):
            if isinstance(run, RuledTable):
                for chunk in table_chunks((0, run.rows[0]), enumerate(run.rows[1:], 1)):
                    yield Segment(chunk.text, SegmentKind.TABLE, Place(page=number, headings=self._headings.path))
            else:
                yield from self._prose(number, run, body)

    def _prose(self, number: int, lines: list[PageLine], body: float) -> Iterator[Segment]:
        held: list[str] = []
        for paragraph in _paragraphs(lines):
            text = joined([line.text for line in paragraph])
            if _is_heading(paragraph, text, body):
                yield from self._paragraph(number, held)
                held = []
                title = " ".join(text.split())
                above = self._headings.enter(-paragraph[0].height, title)
                mark = "#" * min(self._headings.depth, 6)
                yield Segment(f"{mark} {title}", SegmentKind.HEADING, Place(page=number, headings=above))
                continue
            if held and sum(map(len, held)) + len(text) > _SEGMENT_CHARS:
                yield from self._paragraph(number, held)
                held = []
            held.append(text)
        yield from self._paragraph(number, held)

    def _paragraph(self, number: int, texts: list[str]) -> Iterator[Segment]:
        if texts:
            yield Segment("\n\n".join(texts), place=Place(page=number, headings=self._headings.path))

    def _warnings(self, total: int) -> Iterator[Piece]:
        if self._pictures:
            which = _page_list(self._pictures)
            message = f"{len(self._pictures)} of {total} pages are pictures without text ({which})."
            yield PieceWarning("needs_ocr", message, Place(page=self._pictures[0]))
        if self._unreadable:
            message = f"{len(self._unreadable)} of {total} pages are damaged ({_page_list(self._unreadable)})."
            yield PieceWarning("page_unreadable", message, Place(page=self._unreadable[0]))


def _paragraphs(lines: list[PageLine]) -> Iterator[list[PageLine]]:
    """Group lines: a wider gap, a jump upwards or another size starts a new paragraph."""
    group: list[PageLine] = []
    for line in lines:
        if group:
            before = group[-1]
            step = before.top - line.top
            apart = step > _PARAGRAPH_GAP * max(line.height, 1.0) or step < -line.height
            if apart or abs(before.height - line.height) > 0.1 * max(before.height, line.height):
                yield group
                group = []
        group.append(line)
    if group:
        yield group


def _is_heading(paragraph: list[PageLine], text: str, body: float) -> bool:
    larger = body > 0 and paragraph[0].height >= _HEADING_RATIO * body
    return larger and len(text) <= _HEADING_CHARS and len(paragraph) <= 3 and sum(c.isalpha() for c in text) >= 3


def _runs(lines: list[PageLine], tables: list[RuledTable]) -> Iterator[list[PageLine] | RuledTable]:
    """Yield the page's lines with each table in the place of the lines that it replaces."""
    if not tables:
        yield lines
        return
    inside = {table.box: [line for line in lines if _within(line, table)] for table in tables}
    tables = [table for table in tables if _holds_all(table, inside[table.box])]
    waiting: list[PageLine] = []
    done: set[int] = set()
    for line in lines:
        table = next((table for table in tables if _within(line, table)), None)
        if table is None:
            waiting.append(line)
        elif id(table) not in done:
            yield waiting
            waiting = []
            done.add(id(table))
            yield table
    yield waiting


def _within(line: PageLine, table: RuledTable) -> bool:
    middle = line.top - line.height / 2
    return table.box.left - 1 <= line.left <= table.box.right and table.box.bottom <= middle <= table.box.top


def _holds_all(table: RuledTable, lines: list[PageLine]) -> bool:
    """Tell whether the table has the words of the lines it would replace: no text may get lost for a nicer form."""
    words = [word for line in lines for word in line.text.split()]
    held = Counter(word for row in table.rows for cell in row for word in cell.split())
    return bool(words) and sum((Counter(words) & held).values()) >= _KEPT_WORDS * len(words)


def _has_picture(page: PdfPage) -> bool:
    from pypdfium2 import raw

    return any(True for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3))


def _annotations(page: PdfPage, number: int) -> Iterator[Segment]:
    """Yield the comments on a page and what is filled into its form."""
    from pypdfium2 import raw

    for at in range(min(raw.FPDFPage_GetAnnotCount(page.raw), 1_000)):
        note = raw.FPDFPage_GetAnnot(page.raw, at)
        if not note:
            continue
        kind = raw.FPDFAnnot_GetSubtype(note)
        text = ""
        if kind == raw.FPDF_ANNOT_WIDGET:
            value = _annotation_text(note, b"V")
            text = f"{_annotation_text(note, b'T')}: {value}" if value else ""
        elif kind != raw.FPDF_ANNOT_LINK:
            text = _comment(_annotation_text(note, b"T"), _annotation_text(note, b"Contents"))
        raw.FPDFPage_CloseAnnot(note)
        if text.strip():
            yield Segment(text.strip(), SegmentKind.NOTE, Place(page=number))


def _comment(author: str, text: str) -> str:
    if not text.strip():
        return ""
    return f"Comment by {author}: {text}" if author.strip() else text


def _annotation_text(note: object, key: bytes) -> str:
    from pypdfium2 import raw

    size = raw.FPDFAnnot_GetStringValue(note, key, None, 0)
    if size <= 2:
        return ""
    size = min(size, 2 * _ANNOTATION_CHARS)
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFAnnot_GetStringValue(note, key, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _page_list(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:10]))
    return f"page {shown}" if len(pages) == 1 else f"pages {shown}{' …' if len(pages) > 10 else ''}"


def _read_with_pdfplumber(source: Source, limits: Limits) -> Iterator[Piece]:
    """Read what PDFium refuses: slower, and more forgiving about broken cross-references."""
    import pdfplumber
    from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

    try:
        with pdfplumber.open(source.path) as document:
            total = len(document.pages)
            if not total:
                raise MalformedFile
            yield Metadata({"page_count": total})
            for number, page in enumerate(document.pages[: limits.pages], 1):
                if text := page.extract_text():
                    yield Segment(text, place=Place(page=number))
                page.close()
                yield Coverage("pages", number, total)
    except (PdfminerException, MalformedPDFException) as exc:
        raise MalformedFile from exc
