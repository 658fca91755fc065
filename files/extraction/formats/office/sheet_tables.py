"""The cells of a sheet as segments: Markdown tables in parts that repeat the header, each with its range.

Readers of workbooks give numbered rows; what the cells' values look like as text is decided here too.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice

from files.extraction.document import Place, Segment, SegmentKind
from files.extraction.errors import TooManyCells
from files.extraction.limits import Limits
from files.extraction.markdown_table import CHUNK_CHARS, NumberedRow, split_header, table_chunks

_OPENING = 20


class CellBudget:
    """Counts cells against the limit, over all sheets of a workbook."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows = 0
        self._cells = limits.cells

    def count(self, cells: int) -> None:
        """Count a row of so many cells. Raises TooManyCells."""
        self.rows += 1
        self._cells -= cells
        if self._cells < 0:
            raise TooManyCells


class FilledRows:
    """The rows that hold something, each up to its own last filled cell; `width` is that of the widest so far."""

    def __init__(self, rows: Iterator[tuple[int, list[str]]], budget: CellBudget) -> None:
        self.width = 1
        self._rows = self._filled(rows, budget)

    def __iter__(self) -> Iterator[NumberedRow]:
        return self._rows

    def _filled(self, rows: Iterator[tuple[int, list[str]]], budget: CellBudget) -> Iterator[NumberedRow]:
        for numbered in rows:
            row = numbered[1]
            while row and not row[-1]:
                row.pop()
            if size := len(row):
                budget.count(size)
                self.width = max(self.width, size)
                yield numbered


def sheet_heading(name: str, hidden: bool) -> Segment:
    """Return the heading of a sheet; a hidden one is read too, and marked."""
    return Segment(f"## {name} (hidden sheet)" if hidden else f"## {name}", SegmentKind.HEADING, Place(sheet=name))


def sheet_segments(rows: FilledRows, name: str, left: int) -> Iterator[Segment]:
    """Yield the segments of a sheet whose first cell of every row stands in column `left`, counted from 0."""
    opening = list(islice(rows, _OPENING))
    header, captions = split_header(opening)
    for number, row in captions:
        text = "".join(row).strip()
        yield Segment(text, SegmentKind.CAPTION, Place(sheet=name, cells=_range(left, rows.width, number, number)))
    body = chain(opening[len(captions) + (header is not None) :], rows)
    width = max((len(row) for _, row in opening), default=1)
    if header is None:
        first = next(body, None)
        if first is None:
            return
        header = (first[0], [column_letters(left + at) for at in range(width)])
        body = chain([first], body)
    header = (header[0], [*header[1], *[""] * (width - len(header[1]))])
    for chunk in table_chunks(header, body):
        place = Place(sheet=name, cells=_range(left, rows.width, chunk.first, chunk.last))
        yield Segment(chunk.text, SegmentKind.TABLE, place)


def scattered_segments(cells: Iterator[tuple[str, str]], name: str, budget: CellBudget) -> Iterator[Segment]:
    """Yield (reference, text) cells that lie far apart, a line each."""
    held: list[str] = []
    size = 0
    first = last = ""
    for reference, text in cells:
        budget.count(1)
        first, last = first or reference, reference
        held.append(f"{reference}: {text}")
        size += len(held[-1])
        if size > CHUNK_CHARS:
            yield Segment("\n".join(held), place=Place(sheet=name, cells=f"{first}:{last}"))
            held, size, first = [], 0, ""
    if held:
        yield Segment("\n".join(held), place=Place(sheet=name, cells=f"{first}:{last}"))


def shown_row(values: Iterable[object]) -> list[str]:
    """Return the values of a row as text."""
    # Most cells are texts and numbers.
    return [v if type(v) is str else _number(v) if type(v) is float else shown(v) for v in values]


def shown(value: object) -> str:
    """Return a cell's value as it would be written in a plain column."""
    if isinstance(value, float):
        return _number(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if type(value) is datetime.date:
        return value.isoformat()
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and -1e16 < value < 1e16 else f"{value:.15g}"


@lru_cache(maxsize=1024)
def column_letters(column: int) -> str:
    """Return the letters of a column counted from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _range(left: int, width: int, first: int, last: int) -> str:
    return f"{column_letters(left)}{first}:{column_letters(left + width - 1)}{last}"
