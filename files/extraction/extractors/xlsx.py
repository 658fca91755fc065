"""Excel workbooks: cells through calamine, what calamine does not tell (comments, charts, extents) from the parts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile, TooManyCells
from files.extraction.limits import Limits
from files.extraction.ole_objects import embedded_files
from files.extraction.packages import Package, open_package
from files.extraction.safe_xml import local_name, parse
from files.extraction.sheet_tables import (
    CellBudget,
    FilledRows,
    scattered_segments,
    sheet_heading,
    sheet_segments,
    shown_row,
)
from files.extraction.xlsb_parts import binary_grid_size, binary_sheets
from files.extraction.xlsx_extras import comments, drawings, header_and_footer
from files.extraction.xlsx_sparse import sparse_cells

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
    """How many cells lie between the first and the last used one, and the end of the sheet's XML."""

    cells: int
    tail: bytes = b""


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
            workbook = _open(source)
            budget = CellBudget(limits)
            embedded: set[str] = set()
            for done, sheet in enumerate(sheets, 1):
                yield from _read_sheet(package, workbook, sheet, budget, first=done == 1)
                yield from embedded_files(package, sheet.part, Place(sheet=sheet.name), embedded)
                yield Coverage("sheets", done, len(sheets))
            yield Metadata({"row_count": budget.rows})


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


def _read_sheet(
    package: Package, workbook: CalamineWorkbook, sheet: _Sheet, budget: CellBudget, *, first: bool
) -> Iterator[Piece]:
    """Yield one sheet. If the cells of the first cannot be read, nothing has been said yet: another reader may try."""
    tail = b""
    opening: Piece | None = None
    cells: Iterator[Piece] = iter(())
    if sheet.part in package and sheet.has_cells:
        try:
            extent = _extent(package, sheet.part)
            tail = extent.tail
            cells = _cells(package, workbook, sheet, extent, budget)
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
            yield from reader(package, sheet.name, sheet.part)
        except MalformedFile:
            yield _unread(sheet, words)


def _unread(sheet: _Sheet, what: str) -> PieceWarning:
    return PieceWarning("malformed", f"The {what} of sheet “{sheet.name}” could not be read.", Place(sheet=sheet.name))


def _cells(
    package: Package, workbook: CalamineWorkbook, sheet: _Sheet, extent: _Extent, budget: CellBudget
) -> Iterator[Piece]:
    from python_calamine import CalamineError

    if extent.cells > budget.limits.grid_cells:
        # calamine holds the whole rectangle between the first and the last cell in memory, and aborts without it.
        if sheet.part.endswith(_BINARY):
            raise TooManyCells
        cells = sparse_cells(package, _main_part(package), sheet.part)
        yield from scattered_segments(cells, sheet.name, budget)
        return
    try:
        grid = workbook.get_sheet_by_name(sheet.name)
        yield from _tables(grid, sheet.name, budget)
    except CalamineError as exc:
        raise MalformedFile from exc


def _tables(grid: CalamineSheet, name: str, budget: CellBudget) -> Iterator[Segment]:
    if grid.start is None:
        return
    rows = enumerate(map(shown_row, grid.iter_rows()), 1)
    yield from sheet_segments(FilledRows(rows, budget), name, grid.start[1])


def _extent(package: Package, part: str) -> _Extent:
    """Return a sheet's extent from the references in it.

    The declared dimension is not asked: nothing holds it to the truth.
    """
    if part.endswith(_BINARY):
        return _Extent(binary_grid_size(package, part))
    columns: set[bytes] = set()
    rows: set[int] = set()
    with package.open(part) as stream:
        rest = tail = b""
        while block := stream.read(_CHUNK):
            tail = (tail + block)[-_TAIL:]
            block = rest + block
            columns.update(_FAR_COLUMN.findall(block))
            for word, pattern in _ROWS:
                numbers = list(map(int, pattern.findall(block))) if word in block else []
                rows = {min((*rows, *numbers)), max((*rows, *numbers))} if numbers else rows
            rest = block[-_OVERLAP:]
    height = max(rows) - min(rows) + 1 if rows else 1
    return _Extent(height * max([26, *map(_column_number, columns)]), tail)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
