"""Word documents through python-docx: the second reader, for what the first gives up on. Paragraphs and tables only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece, Place, Segment, SegmentKind
from files.extraction.errors import MalformedFile
from files.extraction.formats.office.packages import open_package
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits
from files.extraction.markdown_table import Row
from files.extraction.table_segments import table_segments

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import Table
    from docx.text.paragraph import Paragraph

_CELLS = 1_000  # python-docx repeats a merged cell as often as the file says


class PythonDocxExtractor(Extractor):
    """Reads the body alone, in memory."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per heading, paragraph and table part."""
        from docx.table import Table

        with open_package(source, limits) as package:
            yield package.properties()
        headings = HeadingPath()
        for block in _open(source).iter_inner_content():
            if isinstance(block, Table):
                yield from table_segments(_rows(block), Place(headings=headings.path))
            elif block.text.strip():
                yield _paragraph(block, headings)


def _open(source: Source) -> Document:
    from docx import Document
    from docx.opc.exceptions import OpcError
    from lxml.etree import LxmlError

    try:
        return Document(str(source.path))
    except (OpcError, LxmlError, KeyError, ValueError, AttributeError, OSError) as exc:  # as it breaks on broken files
        raise MalformedFile from exc


def _paragraph(paragraph: Paragraph, headings: HeadingPath) -> Segment:
    text = paragraph.text.strip()
    name = (paragraph.style.name or "").casefold() if paragraph.style is not None else ""
    level = name.removeprefix("heading ")
    if name.startswith("heading ") and level.isdecimal():
        above = headings.enter(int(level), " ".join(text.split()))
        return Segment(f"{'#' * min(max(int(level), 1), 6)} {text}", SegmentKind.HEADING, Place(headings=above))
    return Segment(text, SegmentKind.PARAGRAPH, Place(headings=headings.path))


def _rows(table: Table) -> list[Row]:
    """Return the texts of a table, from the cells that the file holds and not from the grid that they claim."""
    rows: list[Row] = []
    for row in table.rows:
        cells = islice(row._tr.tc_lst, _CELLS)
        rows.append(["\n".join(part.text for part in cell.p_lst).strip() for cell in cells])
    return rows
