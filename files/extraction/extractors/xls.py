"""Excel workbooks from before 2007: cells row by row, comments, text boxes and chart titles after them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.errors import MalformedFile
from files.extraction.formats.office.ole import Container, open_container
from files.extraction.formats.office.sheet_tables import (
    CellBudget,
    FilledRows,
    column_letters,
    sheet_heading,
    sheet_segments,
)
from files.extraction.formats.office.xls_records import Cell, SheetTexts, XlsSheet, XlsWorkbook
from files.extraction.limits import Limits

_STREAMS = ("Workbook", "Book")
_OLDER_THAN_OLE = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")


class XlsExtractor(Extractor):
    """Reads every sheet, hidden ones too, as Markdown tables that repeat their header."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per sheet its name, its cells with their range, its comments and the words of its drawings."""
        with source.path.open("rb") as file:
            bare = file.read(2) in _OLDER_THAN_OLE
        if bare:
            yield from _workbook(XlsWorkbook(source.path.read_bytes()), limits)
            return
        with open_container(source, limits) as container:
            workbook = XlsWorkbook(_stream(container))
            yield container.properties()
            yield from _workbook(workbook, limits)
            yield from container.embedded()


def _stream(container: Container) -> bytes:
    for name in _STREAMS:
        if container.has(name):
            return container.read(name)
    raise MalformedFile


def _workbook(workbook: XlsWorkbook, limits: Limits) -> Iterator[Piece]:
    sheets = workbook.sheets
    names = [sheet.name for sheet in sheets]
    hidden = [sheet.name for sheet in sheets if sheet.hidden]
    yield Metadata({"sheet_names": names, "sheet_count": len(sheets), "hidden_sheets": hidden})
    budget = CellBudget(limits)
    for done, sheet in enumerate(sheets, 1):
        yield sheet_heading(sheet.name, sheet.hidden)
        yield from _sheet(workbook, sheet, budget)
        yield Coverage("sheets", done, len(sheets))
    yield Metadata({"row_count": budget.rows})


def _sheet(workbook: XlsWorkbook, sheet: XlsSheet, budget: CellBudget) -> Iterator[Segment]:
    texts = SheetTexts()
    left = workbook.first_column(sheet)
    cells = workbook.cells(sheet, texts)
    yield from sheet_segments(FilledRows(_rows(cells, left), budget), sheet.name, left)
    for number, text in dict.fromkeys(texts.found):
        if number in texts.commented:
            row, column = texts.commented[number]
            cell = f"{column_letters(column)}{row + 1}"
            yield Segment(f"Comment on {cell}: {text}", SegmentKind.NOTE, Place(sheet=sheet.name, cells=cell))
        else:
            yield Segment(text, SegmentKind.NOTE, Place(sheet=sheet.name))


def _rows(cells: Iterator[Cell], left: int) -> Iterator[tuple[int, list[str]]]:
    """Yield rows, numbered as Excel does, from the first used column on. A row that comes twice is told twice."""
    for row, group in groupby(cells, key=lambda cell: cell[0]):
        texts: list[str] = []
        for _, column, text in group:
            at = max(0, column - left)
            if at >= len(texts):
                texts += [""] * (at + 1 - len(texts))
            texts[at] = f"{texts[at]} {text}".strip() if texts[at] else text
        yield row + 1, texts
