"""PDF through PDFium, page by page: its text, and what recognition finds on pages that are pictures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import (
    THUMBNAIL_PIXELS,
    Coverage,
    Metadata,
    Piece,
    Place,
    Segment,
    SegmentKind,
    Thumbnail,
)
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile, TooManyPages
from files.extraction.formats.media.pictures import thumbnail_of
from files.extraction.formats.pdf.pdf_extras import attachments, document_facts, iso_time
from files.extraction.formats.pdf.pdf_lines import PageLine, joined, page_lines
from files.extraction.formats.pdf.pdf_notes import PdfNotes
from files.extraction.formats.pdf.pdf_rendering import ocr_side, rendered
from files.extraction.formats.pdf.pdf_tables import RuledTable, ruled_tables
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits
from files.extraction.markdown_table import table_chunks
from files.extraction.ocr.reading import PageReader

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
_PROGRESS_SECONDS = 0.5
_OCR_SECONDS = 20.0
_THUMBNAIL_SECONDS = 0.5
_THUMBNAIL_CPU_SHARE = 0.5


class PdfExtractor(Extractor):
    """Reads the text layer; a page that is only a picture goes through text recognition where an engine is there."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield segments per page, with their page and the headings that larger letters make.

        The first error codes are `encrypted` and `malformed`. Pages that cannot be loaded give the warning
        `page_unreadable`, pages that are pictures and were not recognised `needs_ocr`, each naming the pages.
        """
        document = _open(source)
        try:
            yield from _Reading(document, source, limits).pieces()
        finally:
            document.close()


def _open(source: Source) -> PdfDocument:
    """Return the document. Raises EncryptedFile, MalformedFile; an empty password is tried first."""
    from pypdfium2 import PdfDocument, PdfiumError, raw

    try:
        return PdfDocument(source.path)
    except PdfiumError as exc:
        if exc.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise EncryptedFile from exc
        raise MalformedFile from exc


class _Reading:
    """One document, page after page."""

    def __init__(self, document: PdfDocument, source: Source, limits: Limits) -> None:
        self._document = document
        self._options = source.options
        self._limits = limits
        self._notes = PdfNotes(document)
        self._ocr = PageReader(source.options, limits)
        self._headings = HeadingPath()
        self._sizes: Counter[float] = Counter()
        self._pictures: list[int] = []
        self._unreadable: list[int] = []

    def pieces(self) -> Iterator[Piece]:
        """Yield facts, pages, what could not be read, what is attached, and a picture of the first page."""
        total = len(self._document)
        if not total:
            raise MalformedFile
        yield Metadata({"page_count": total, **self._facts()})
        told = 0.0
        for number in range(1, total + 1):
            if number > self._limits.pages:
                raise TooManyPages(f"This document has {total} pages; the limit is {self._limits.pages}.")
            yield from self._page(number)
            if number % _PROGRESS_PAGES == 0 or number == total or time.monotonic() - told > _PROGRESS_SECONDS:
                told = time.monotonic()
                yield Coverage("pages", number - len(self._pictures) - len(self._unreadable), total)
        yield from self._warnings(total)
        yield Metadata({**document_facts(self._document), **self._notes.facts, **self._ocr.facts})
        yield from attachments(self._document, self._limits.child_bytes)
        yield from self._thumbnail()

    def _facts(self) -> dict[str, object]:
        told = self._document.get_metadata_dict(skip_empty=True)
        facts: dict[str, object] = {_FACTS[key]: value for key, value in told.items() if key in _FACTS}
        facts.update({key: iso_time(str(facts[key])) for key in ("created", "modified") if key in facts})
        return facts

    def _thumbnail(self) -> Iterator[Thumbnail]:
        """Yield a picture of the first page: last, and only if it is quick, as nobody waits for it."""
        from pypdfium2 import PdfiumError

        if not self._options.thumbnails or time.process_time() > _THUMBNAIL_CPU_SHARE * self._limits.cpu_seconds:
            return
        try:
            page = self._document[0]
        except PdfiumError:
            return
        if (picture := rendered(page, THUMBNAIL_PIXELS, _THUMBNAIL_SECONDS)) and (small := thumbnail_of(picture)):
            yield small
        page.close()

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
            is_picture = sum(len(line.text) for line in lines) < _LITTLE_TEXT and _has_picture(page)
            tables = ruled_tables(page, text) if lines else []
            yield from self._segments(number, lines, tables)
            if is_picture:
                yield from self._recognised(page, number)
            yield from self._notes.on(page, number)
        except PdfiumError:
            self._unreadable.append(number)
        finally:
            page.close()

    def _recognised(self, page: PdfPage, number: int) -> Iterator[Segment]:
        """Yield what recognition finds on a page that is a picture; keep its number where it could not be tried."""
        picture = rendered(page, ocr_side(page), _OCR_SECONDS) if self._ocr.can_go_on else None
        passages = self._ocr.passages(picture) if picture else None
        if passages is None:
            self._pictures.append(number)
            return
        for passage in passages:
            yield Segment(passage, place=Place(page=number, headings=self._headings.path))

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
            reason = "recognition failed or reached its limit" if self._ocr.is_there else "no engine recognises them"
            message = f"{len(self._pictures)} of {total} pages are pictures that were not read ({which}): {reason}."
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


def _page_list(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:10]))
    return f"page {shown}" if len(pages) == 1 else f"pages {shown}{' …' if len(pages) > 10 else ''}"
