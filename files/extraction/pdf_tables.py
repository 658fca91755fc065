"""Ruled tables of a PDF page: PDFium says whether there are rules, pdfplumber where the cells are, PDFium what is in them."""

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
            return [found for grid in _grids(self._path, number) if (found := _read(grid, page, text))]
        finally:
            self._seconds -= time.monotonic() - started


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
            left, bottom = _origin(page)
            height = float(page.height)
            return [
                [[_box(cell, left, bottom + height) for cell in row.cells] for row in table.rows]
                for table in page.find_tables()
            ]
    except (PdfminerException, MalformedPDFException, ValueError, TypeError, KeyError, IndexError, RecursionError):
        return []  # the page's text is there already; only its table form is lost


def _origin(page: Any) -> tuple[float, float]:
    box = page.page_obj.cropbox or page.page_obj.mediabox
    return float(min(box[0], box[2])), float(min(box[1], box[3]))


def _box(cell: tuple[float, float, float, float] | None, left: float, height: float) -> Box | None:
    if cell is None:
        return None
    x0, top, x1, bottom = cell
    return Box(x0, height - bottom, x1, height - top)


def _read(grid: list[list[Box | None]], page: PdfPage, text: PdfTextPage) -> RuledTable | None:
    cells = [cell for row in grid for cell in row if cell]
    if len(grid) < 2 or max(map(len, grid)) < 2 or not cells:
        return None
    rows = [[text_in(text, cell) if cell else "" for cell in row] for row in grid]
    if sum(bool(cell) for row in rows for cell in row) < 4:
        return None
    box = Box(
        min(cell.left for cell in cells),
        min(cell.bottom for cell in cells),
        max(cell.right for cell in cells),
        max(cell.top for cell in cells),
    )
    return RuledTable(box, rows)
