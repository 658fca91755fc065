"""Excel workbooks: cells through calamine, what calamine does not tell (comments, charts, extents) from the parts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile, TooManyCells
from files.extraction.formats.office.ole_objects import embedded_files
from files.extraction.formats.office.packages import Package, open_package
from files.extraction.formats.office.sheet_tables import (
    CellBudget,
    FilledRows,
    scattered_segments,
    sheet_heading,
    sheet_segments,
    shown_row,
)
from files.extraction.formats.office.xlsb_parts import binary_grid_size, binary_sheets
from files.extraction.formats.office.xlsx_extras import comments, drawings, header_and_footer
from files.extraction.formats.office.xlsx_percent import PercentCells, column_number, percent_styles
from files.extraction.formats.office.xlsx_sparse import sparse_cells
from files.extraction.limits import Limits
from files.extraction.safe_xml import local_name, parse

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_CHUNK = 1 << 20
_OVERLAP = 64
_TAIL = 256 * 1024
_BINARY = ".bin"
_FAR_COLUMN = re.compile(rb' r="([A-Z]{2,3})\d')  # the first 26 columns are many to find and not worth it
# With and without a namespace prefix: a pattern that opens with a plain word is found many times faster.
_ROWS = (
    (b"<row ", re.compile(rb'<row [^>]{0,200}?\br="(\d{1,9})"')),
    (b":row ", re.compile(rb':row [^>]{0,200}?\br="(\d{1,9})"')),
)


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    part: str
    hidden: bool

    @property
    def has_cells(self) -> bool:
        """Tell a sheet of cells from one that is a chart or an old dialogue."""
        return posixpath.basename(posixpath.dirname(self.part)) not in ("chartsheets", "dialogsheets", "macrosheets")


@dataclass(frozen=True, slots=True)
class _Extent:
    """How many cells lie between the first and the last used one, the end of the sheet's XML, its percentages."""

    cells: int
    tail: bytes = b""
    percent: PercentCells | None = None


@dataclass(frozen=True, slots=True)
class _Book:
    """The workbook while its sheets are read."""

    package: Package
    workbook: CalamineWorkbook
    budget: CellBudget
    percent: dict[bytes, int]


class XlsxExtractor(Extractor):
    """Reads every sheet, hidden ones too, as Markdown tables that repeat their header."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per sheet its name, its cells with their range, what stands beside them, its embedded files."""
        with open_package(source, limits) as package:
            sheets = _sheets(package)
            yield package.properties()
            hidden = [sheet.name for sheet in sheets if sheet.hidden]
            yield Metadata(
                {"sheet_names": [sheet.name for sheet in sheets], "sheet_count": len(sheets), "hidden_sheets": hidden}
            )
            book = _Book(package, _open(source), CellBudget(limits), _percent_styles(package))
            embedded: set[str] = set()
            for done, sheet in enumerate(sheets, 1):
                yield from _read_sheet(book, sheet, first=done == 1)
                yield from embedded_files(package, sheet.part, Place(sheet=sheet.name), embedded)
                yield Coverage("sheets", done, len(sheets))
            yield Metadata({"row_count": book.budget.rows})


def _open(source: Source) -> CalamineWorkbook:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        return CalamineWorkbook.from_path(source.path)
    except PasswordError as exc:
        raise EncryptedFile from exc
    except CalamineError as exc:
        raise MalformedFile from exc


def _sheets(package: Package) -> list[_Sheet]:
    """Return the sheets in the order of the workbook."""
    main = _main_part(package)
    targets = {relation.id: relation.target for relation in package.relations(main)}
    if main.endswith(_BINARY):
        return [_Sheet(one.name, targets.get(one.relation, ""), one.hidden) for one in binary_sheets(package, main)]
    found = []
    for element in parse(package.read(main)).iter():
        if local_name(element.tag) == "sheet":
            identity = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
            hidden = element.get("state", "visible") != "visible"
            found.append(_Sheet(element.get("name", ""), targets.get(identity, ""), hidden))
    return found


def _main_part(package: Package) -> str:
    main = next(iter(package.related("", "officeDocument")), "xl/workbook.xml")
    if main not in package:
        raise MalformedFile
    return main


def _percent_styles(package: Package) -> dict[bytes, int]:
    try:
        return percent_styles(package, _main_part(package))
    except MalformedFile:
        return {}  # the cells can still be read


def _read_sheet(book: _Book, sheet: _Sheet, *, first: bool) -> Iterator[Piece]:
    """Yield one sheet. If the cells of the first cannot be read, nothing has been said yet: another reader may try."""
    tail = b""
    opening: Piece | None = None
    cells: Iterator[Piece] = iter(())
    if sheet.part in book.package and sheet.has_cells:
        try:
            extent = _extent(book, sheet.part)
            tail = extent.tail
            cells = _cells(book, sheet, extent)
            opening = next(cells, None)
        except MalformedFile:
            if first:
                raise
            opening = _unread(sheet, "cells")
    yield sheet_heading(sheet.name, sheet.hidden)
    try:
        yield from chain([opening] if opening else [], cells)
    except MalformedFile:
        yield _unread(sheet, "cells")
    yield from header_and_footer(tail, sheet.name)
    for words, reader in (("comments", comments), ("drawings", drawings)):
        try:
            yield from reader(book.package, sheet.name, sheet.part)
        except MalformedFile:
            yield _unread(sheet, words)


def _unread(sheet: _Sheet, what: str) -> PieceWarning:
    return PieceWarning("malformed", f"The {what} of sheet “{sheet.name}” could not be read.", Place(sheet=sheet.name))


def _cells(book: _Book, sheet: _Sheet, extent: _Extent) -> Iterator[Piece]:
    from python_calamine import CalamineError

    if extent.cells > book.budget.limits.grid_cells:
        # calamine holds the whole rectangle between the first and the last cell in memory, and aborts without it.
        if sheet.part.endswith(_BINARY):
            raise TooManyCells
        cells = sparse_cells(book.package, _main_part(book.package), sheet.part)
        yield from scattered_segments(cells, sheet.name, book.budget)
        return
    try:
        grid = book.workbook.get_sheet_by_name(sheet.name)
        if grid.start is not None:
            rows = FilledRows(_rows(grid, extent.percent), book.budget)
            yield from sheet_segments(rows, sheet.name, grid.start[1])
    except CalamineError as exc:
        raise MalformedFile from exc


def _rows(grid: CalamineSheet, percent: PercentCells | None) -> Iterator[tuple[int, list[str]]]:
    if percent is None or percent.is_empty or grid.start is None:
        return enumerate(map(shown_row, grid.iter_rows()), 1)
    return _with_percent(grid, grid.start[1], percent)


def _with_percent(grid: CalamineSheet, left: int, percent: PercentCells) -> Iterator[tuple[int, list[str]]]:
    for number, values in enumerate(grid.iter_rows(), 1):
        texts = shown_row(values)
        percent.apply(number, list(values), texts, left)
        yield number, texts


def _extent(book: _Book, part: str) -> _Extent:
    """Return a sheet's extent from the references in it.

    The declared dimension is not asked: nothing holds it to the truth.
    """
    if part.endswith(_BINARY):
        return _Extent(binary_grid_size(book.package, part))
    percent = PercentCells(book.percent)
    columns: set[bytes] = set()
    rows: set[int] = set()
    with book.package.open(part) as stream:
        rest = tail = b""
        while block := stream.read(_CHUNK):
            tail = (tail + block)[-_TAIL:]
            block = rest + block
            columns.update(_FAR_COLUMN.findall(block))
            percent.take(block)
            for word, pattern in _ROWS:
                numbers = list(map(int, pattern.findall(block))) if word in block else []
                rows = {min((*rows, *numbers)), max((*rows, *numbers))} if numbers else rows
            rest = block[-_OVERLAP:]
    height = max(rows) - min(rows) + 1 if rows else 1
    return _Extent(height * max([26, *map(column_number, columns)]), tail, percent)
