"""Ruled tables of a PDF page.

PDFium says whether the page has rules, pdfplumber where the cells are, PDFium again what is written in them.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.extraction.pdf_lines import Box, text_in

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

PAGE_BUDGET = 20
SECONDS_BUDGET = 5.0
_OBJECTS = 1_500
_THIN = 3.0
_LONG = 15.0
_RULES = 3


@dataclass(frozen=True, slots=True)
class RuledTable:
    """A table's rows and the box they stand in."""

    box: Box
    rows: list[list[str]]


class TableFinder:
    """Finds the tables of one document, for as long as its budget of pages and seconds lasts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pages = PAGE_BUDGET
        self._seconds = SECONDS_BUDGET

    def find(self, number: int, page: PdfPage, text: PdfTextPage) -> list[RuledTable]:
        """Return the ruled tables of page `number`, counted from 1. An empty list when there are none, or no budget."""
        if self._pages <= 0 or self._seconds <= 0 or page.get_rotation() or not has_rules(page):
            return []
        self._pages -= 1
        started = time.monotonic()
        try:
            return [found for grid in _grids(self._path, number) if (found := _read(grid, text))]
        finally:
            self._seconds -= time.monotonic() - started


def _rules_group_rows(rows: list[list[str]]) -> bool:
    """Tell whether rules stand only between groups of rows, so that a cell holds one column's values of several rows.

    Read line by line such a table is better than as a grid.
    """
    for row in rows:
        heights = [cell.count("\n") + 1 for cell in row if cell]
        if len(heights) >= 3 and min(heights) >= 2 and min(heights) == max(heights):
            return True
    return False


def has_rules(page: PdfPage) -> bool:
    """Tell whether a page draws enough straight lines, both ways, for a table. Looks at its first objects only."""
    from pypdfium2 import raw

    sides = [ctypes.c_float() for _ in range(4)]
    references = [ctypes.byref(side) for side in sides]
    across: set[int] = set()
    down: set[int] = set()
    for at in range(min(raw.FPDFPage_CountObjects(page.raw), _OBJECTS)):
        shape = raw.FPDFPage_GetObject(page.raw, at)
        if raw.FPDFPageObj_GetType(shape) != raw.FPDF_PAGEOBJ_PATH or not raw.FPDFPageObj_GetBounds(shape, *references):
            continue
        left, bottom, right, top = (side.value for side in sides)
        if right - left >= _LONG:
            across.update((round(bottom), round(top)))
        if top - bottom >= _LONG or right - left >= _LONG > _THIN < top - bottom:
            down.update((round(left), round(right)))
        if len(across) >= _RULES and len(down) >= _RULES:
            return True
    return False


def _grids(path: Path, number: int) -> list[list[list[Box | None]]]:
    """Return the cells of each ruled table as pdfplumber sees it; none when it cannot read the page."""
    import pdfplumber
    from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

    try:
        with pdfplumber.open(path, pages=[number]) as document:
            page = document.pages[0]
            top = _bottom(page) + float(page.height)
            return [[[_box(cell, top) for cell in row.cells] for row in table.rows] for table in page.find_tables()]
    except (PdfminerException, MalformedPDFException, ValueError, TypeError, KeyError, IndexError, RecursionError):
        return []  # the page's text is there already; only its table form is lost


def _bottom(page: Any) -> float:
    """Return the height of the page's lower edge: pdfplumber measures downwards from the upper one, PDFium upwards."""
    return float(min(page.mediabox[1], page.mediabox[3]))


def _box(cell: tuple[float, float, float, float] | None, height: float) -> Box | None:
    if cell is None:
        return None
    x0, top, x1, bottom = cell
    return Box(x0, height - bottom, x1, height - top)


def _read(grid: list[list[Box | None]], text: PdfTextPage) -> RuledTable | None:
    cells = [cell for row in grid for cell in row if cell]
    if len(grid) < 2 or max(map(len, grid)) < 2 or not cells:
        return None
    rows = [[text_in(text, cell) if cell else "" for cell in row] for row in grid]
    if _rules_group_rows(rows):
        return None
    if sum(bool(cell) for row in rows for cell in row) < 4:
        return None
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    box = Box(
        min(cell.left for cell in cells),
        min(cell.bottom for cell in cells),
        max(cell.right for cell in cells),
        max(cell.top for cell in cells),
    )
    return RuledTable(box, rows)
