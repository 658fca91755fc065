"""Word 6 to 2003 documents: every story of the document, with headings, lists and tables as it marks them."""

from __future__ import annotations

from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece, Place, Segment, SegmentKind
from files.extraction.errors import MalformedFile
from files.extraction.formats.office.ole import Container, code_page_codec, open_container
from files.extraction.formats.office.word_binary import WordDocument, table_name
from files.extraction.formats.office.word_text import Block, blocks
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits
from files.extraction.markdown_table import table_row
from files.extraction.table_segments import table_segments

_HEADING_CHARS = 500
_NOT_READ = ("macros",)
_RUNNING = ("headers", "header text boxes")
# Languages that Word 6 wrote in a code page of their own, by the low byte of their number.
_LANGUAGE_CODE_PAGES = {
    0x04: 936,
    0x05: 1250,
    0x08: 1253,
    0x0D: 1255,
    0x01: 1256,
    0x0E: 1250,
    0x11: 932,
    0x12: 949,
    0x15: 1250,
    0x19: 1251,
    0x1B: 1250,
    0x1E: 874,
    0x1F: 1254,
    0x22: 1251,
    0x02: 1251,
}


class DocExtractor(Extractor):
    """Reads body, text boxes, notes, comments, headers and footers."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per heading, paragraph and table part; tracked insertions count, deletions do not."""
        with open_container(source, limits) as container:
            document = _document(container)
            yield container.properties()
            yield from _text(document)
            yield from container.embedded()


def _text(document: WordDocument) -> Iterator[Segment]:
    seen: set[str] = set()
    for name, start, text in _in_reading_order(document):
        if name == "body":
            yield from _body(blocks(document, start, text))
        else:
            yield from _notes(blocks(document, start, text), seen if name in _RUNNING else set())


def _in_reading_order(document: WordDocument) -> list[tuple[str, int, str]]:
    """Return the stories, what stands above and below the pages last."""
    stories = [story for story in document.stories() if story[0] not in _NOT_READ]
    return sorted(stories, key=lambda story: story[0] in _RUNNING)


def _body(found: Iterator[Block]) -> Iterator[Segment]:
    headings = HeadingPath()
    for block in found:
        level = block.paragraph.level
        if block.rows:
            yield from table_segments(block.rows, Place(headings=headings.path))
        elif level and len(block.text) < _HEADING_CHARS:
            above = headings.enter(level, " ".join(block.text.split()))
            yield Segment(f"{'#' * min(level, 6)} {block.text}", SegmentKind.HEADING, Place(headings=above))
        else:
            text = f"- {block.text}" if block.paragraph.listed else block.text
            yield Segment(text, SegmentKind.PARAGRAPH, Place(headings=headings.path))


def _notes(found: Iterator[Block], seen: set[str]) -> Iterator[Segment]:
    """Yield footnotes, comments, text boxes, headers: what repeats in `seen` once."""
    for block in found:
        text = "\n".join(map(table_row, block.rows)) if block.rows else block.text
        if text.strip(" |\n-") and text not in seen:
            seen.add(text)
            yield Segment(text, SegmentKind.NOTE)


def _document(container: Container) -> WordDocument:
    if not container.has("WordDocument"):
        raise MalformedFile
    main = container.read("WordDocument")
    name = table_name(main)
    table = container.read(name) if container.has(name) else b""
    language = main[6] if len(main) > 6 else 0
    return WordDocument(main, table, codec=code_page_codec(_LANGUAGE_CODE_PAGES.get(language, 1252)))
