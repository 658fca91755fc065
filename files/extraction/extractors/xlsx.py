"""Excel workbooks: cells through calamine, what calamine does not tell (comments, charts, extents) from the XML."""

from __future__ import annotations

import datetime
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile, MalformedFile, TooManyCells
from files.extraction.limits import Limits
from files.extraction.markdown_table import CHUNK_CHARS, NumberedRow, split_header, table_chunks
from files.extraction.packages import Package, open_package
from files.extraction.safe_xml import local_name, parse
from files.extraction.xlsx_sparse import sparse_cells

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_CHUNK = 1 << 20
_OVERLAP = 64
_FAR_COLUMN = re.compile(rb' r="([A-Z]{2,3})\d')  # the first 26 columns are many to find and not worth it
_ROW = re.compile(rb'<(?:\w+:)?row [^>]{0,200}?\br="(\d{1,9})"')
_THREAD_PLACEHOLDER = "[Threaded comment]"


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    part: str
    hidden: bool


class XlsxExtractor(Extractor):
    """Reads every sheet, hidden ones too, as Markdown tables that repeat their header."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per sheet its name, its cells with their range, its comments and the words of its drawings."""
        with open_package(source, limits) as package:
            sheets = _sheets(package)
            yield package.properties()
            hidden = [sheet.name for sheet in sheets if sheet.hidden]
            yield Metadata(
                {"sheet_names": [sheet.name for sheet in sheets], "sheet_count": len(sheets), "hidden_sheets": hidden}
            )
            workbook = _open(source)
            budget = _Budget(limits)
            for done, sheet in enumerate(sheets, 1):
                yield from _read_sheet(package, workbook, sheet, budget)
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


class _Budget:
    """Counts cells against the limit, over all sheets."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows = 0
        self._cells = limits.cells

    def count(self, row: list[str]) -> None:
        """Count a row that is not empty. Raises TooManyCells."""
        self.rows += 1
        self._cells -= len(row)
        if self._cells < 0:
            raise TooManyCells


def _read_sheet(package: Package, workbook: CalamineWorkbook, sheet: _Sheet, budget: _Budget) -> Iterator[Piece]:
    title = f"## {sheet.name} (hidden sheet)" if sheet.hidden else f"## {sheet.name}"
    yield Segment(title, SegmentKind.HEADING, Place(sheet=sheet.name))
    if sheet.part in package and posixpath.basename(posixpath.dirname(sheet.part)) != "chartsheets":
        try:
            yield from _cells(package, workbook, sheet, budget)
        except MalformedFile:
            yield PieceWarning(
                "malformed", f"The cells of sheet “{sheet.name}” could not be read.", Place(sheet=sheet.name)
            )
    yield from _comments(package, sheet)
    yield from _drawings(package, sheet)


def _cells(package: Package, workbook: CalamineWorkbook, sheet: _Sheet, budget: _Budget) -> Iterator[Piece]:
    from python_calamine import CalamineError

    if _grid_size(package, sheet.part) > budget.limits.grid_cells:
        # calamine holds the whole rectangle between the first and the last cell in memory, and aborts without it.
        yield from _scattered(package, sheet, budget)
        return
    try:
        cells = workbook.get_sheet_by_name(sheet.name)
        yield from _tables(cells, sheet.name, budget)
    except CalamineError as exc:
        raise MalformedFile from exc


def _scattered(package: Package, sheet: _Sheet, budget: _Budget) -> Iterator[Segment]:
    held: list[str] = []
    first = last = ""
    for reference, text in sparse_cells(package, _main_part(package), sheet.part):
        budget.count([text])
        first, last = first or reference, reference
        held.append(f"{reference}: {text}")
        if sum(map(len, held)) > CHUNK_CHARS:
            yield Segment("\n".join(held), place=Place(sheet=sheet.name, cells=f"{first}:{last}"))
            held, first = [], ""
    if held:
        yield Segment("\n".join(held), place=Place(sheet=sheet.name, cells=f"{first}:{last}"))


def _tables(cells: CalamineSheet, name: str, budget: _Budget) -> Iterator[Segment]:
    if cells.start is None or cells.end is None:
        return
    left, right = cells.start[1], cells.end[1]
    rows = _rows(cells, budget)
    opening = list(islice(rows, 20))
    header, captions = split_header(opening)
    for number, row in captions:
        text = "".join(row).strip()
        yield Segment(text, SegmentKind.CAPTION, Place(sheet=name, cells=_range(left, right, number, number)))
    body = chain(opening[len(captions) + (header is not None) :], rows)
    if header is None:
        first = next(body, None)
        if first is None:
            return
        header, body = (first[0], [_letters(left + at) for at in range(len(first[1]))]), chain([first], body)
    for chunk in table_chunks(header, body):
        place = Place(sheet=name, cells=_range(left, right, chunk.first, chunk.last))
        yield Segment(chunk.text, SegmentKind.TABLE, place)


def _rows(cells: CalamineSheet, budget: _Budget) -> Iterator[NumberedRow]:
    """Yield the rows that hold something, numbered as Excel does, from the first used column to their own last cell."""
    for number, values in enumerate(cells.iter_rows(), 1):
        row = [_shown(value) for value in values]
        while row and not row[-1]:
            row.pop()
        if row:
            budget.count(row)
            yield number, row


def _shown(value: Any) -> str:
    """Return a cell's value as Excel would write it in a plain column."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _grid_size(package: Package, part: str) -> int:
    """Return about how many cells lie between the first and the last used one, from the references in the XML.

    The declared dimension is not asked: nothing holds it to the truth.
    """
    columns: set[bytes] = set()
    first = last = 0
    with package.open(part) as stream:
        rest = b""
        while block := stream.read(_CHUNK):
            block = rest + block
            columns.update(_FAR_COLUMN.findall(block))
            if rows := _ROW.findall(block):
                numbers = [int(row) for row in rows]
                first, last = min([*numbers, first or numbers[0]]), max([*numbers, last])
            rest = block[-_OVERLAP:]
    return (last - first + 1) * max([26, *map(_column_number, columns)])


def _comments(package: Package, sheet: _Sheet) -> Iterator[Segment]:
    found: dict[str, list[str]] = {}
    for part in package.related(sheet.part, "threadedComment"):
        for comment in parse(package.read(part)):
            found.setdefault(comment.get("ref", ""), []).append(_joined(comment, "text"))
    for part in package.related(sheet.part, "comments"):
        for comment in parse(package.read(part)).iter():
            text = _joined(comment, "t") if local_name(comment.tag) == "comment" else ""
            if text and not text.startswith(_THREAD_PLACEHOLDER):
                found.setdefault(comment.get("ref", ""), []).append(text)
    for cell, texts in found.items():
        text = "\n".join(filter(None, texts))
        if text:
            yield Segment(f"Comment on {cell}: {text}", SegmentKind.NOTE, Place(sheet=sheet.name, cells=cell))


def _drawings(package: Package, sheet: _Sheet) -> Iterator[Segment]:
    """Yield the words of text boxes and charts on a sheet, or on a sheet that is a chart."""
    for drawing in package.related(sheet.part, "drawing"):
        for part in (drawing, *package.related(drawing, "chart")):
            words = dict.fromkeys(
                (element.text or "").strip()
                for element in parse(package.read(part)).iter()
                if local_name(element.tag) == "t" and (element.text or "").strip()
            )
            if words:
                yield Segment("\n".join(words), SegmentKind.CAPTION, Place(sheet=sheet.name))


def _joined(element: Any, name: str) -> str:
    return "".join(child.text or "" for child in element.iter() if local_name(child.tag) == name).strip()


def _range(left: int, right: int, first: int, last: int) -> str:
    return f"{_letters(left)}{first}:{_letters(right)}{last}"


def _letters(column: int) -> str:
    """Return the letters of a column counted from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
