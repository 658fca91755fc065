"""Excel workbooks through openpyxl: the second reader, about ten times slower, for what calamine gives up on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO
from zipfile import BadZipFile
from zlib import error

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile
from files.extraction.formats.office.packages import open_package
from files.extraction.formats.office.sheet_tables import (
    CellBudget,
    FilledRows,
    sheet_heading,
    sheet_segments,
    shown_row,
)
from files.extraction.limits import Limits

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

# What openpyxl lets through from the parsers beneath it when a part is broken. Syntax errors are those of the XML.
_BROKEN = (
    SyntaxError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    OSError,
    EOFError,
    BadZipFile,
    error,
)


class OpenpyxlExtractor(Extractor):
    """Reads the cells of every sheet as a stream, formulas as the values that were stored with them."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per sheet its name and its cells with their range. A sheet that cannot be read gives a warning."""
        with open_package(source, limits) as package:
            yield package.properties()
        with source.path.open("rb") as file:  # its name may lack the ending that openpyxl asks for
            yield from _read_book(_open(file), limits)


def _open(file: BinaryIO) -> Workbook:
    from openpyxl import load_workbook

    try:
        return load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except _BROKEN as exc:
        raise MalformedFile from exc


def _read_book(book: Workbook, limits: Limits) -> Iterator[Piece]:
    names, sheets = book.sheetnames, book.worksheets
    hidden = [sheet.title for sheet in sheets if sheet.sheet_state != "visible"]
    budget = CellBudget(limits)
    yield Metadata({"sheet_names": names, "sheet_count": len(names), "hidden_sheets": hidden})
    for done, sheet in enumerate(sheets, 1):
        yield sheet_heading(sheet.title, sheet.title in hidden)
        try:
            yield from sheet_segments(FilledRows(_rows(sheet), budget), sheet.title, 0)
        except _BROKEN:
            place = Place(sheet=sheet.title)
            yield PieceWarning("malformed", f"The cells of sheet “{sheet.title}” could not be read.", place)
        yield Coverage("sheets", done, len(sheets))
    yield Metadata({"row_count": budget.rows})


def _rows(sheet: Worksheet) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # type: ignore[attr-defined]  # read-only sheets are typed as others  # nothing holds the declared ones to the truth, and rows are filled up to them
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        yield number, shown_row(values)
