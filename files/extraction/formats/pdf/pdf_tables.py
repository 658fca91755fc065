"""Ruled tables of a PDF page, found from the lines that the page draws.

PDFium gives both the lines and the text between them, so a table costs milliseconds; pdfplumber, which finds the same
tables, takes 70 to 300 ms a page.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from files.extraction.formats.pdf.pdf_lines import Box, text_in

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

_OBJECTS = 5_000
_SEGMENTS = 500  # of one path: a shape of more is a drawing
_RULES = 400  # in one direction, after joining: a page of more is a drawing
_CELLS = 3_000
_THIN = 3.0
_SHORT = 8.0
_NEAR = 3.0
_FILLED_CELLS = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line: at height `at` from `start` to `end`, or at `at` from the left and upwards."""

    at: float
    start: float
    end: float

    def reaches(self, position: float) -> bool:
        """Tell whether the line passes `position`, give or take a pen's width."""
        return self.start - _NEAR <= position <= self.end + _NEAR


@dataclass(frozen=True, slots=True)
class RuledTable:
    """A table's rows and the box they stand in."""

    box: Box
    rows: list[list[str]]


def ruled_tables(page: PdfPage, text: PdfTextPage) -> list[RuledTable]:
    """Return the ruled tables of `page` with at least two rows and two columns, in the order of the drawing."""
    across, upright = _rules(page)
    if len(across) < 3 or len(upright) < 2 or max(len(across), len(upright)) > _RULES:
        return []
    return [table for group in _crossing(across, upright) if (table := _table(*group, text))]


def _rules(page: PdfPage) -> tuple[list[Rule], list[Rule]]:
    """Return the horizontal and the vertical lines of a page, pieces of one line joined."""
    from pypdfium2 import raw

    across: list[Rule] = []
    upright: list[Rule] = []
    box = (ctypes.c_float * 4)()
    size = ctypes.sizeof(ctypes.c_float)
    references = [ctypes.byref(ctypes.c_float.from_buffer(box, size * at)) for at in range(4)]
    count, get, kind_of = raw.FPDFPage_CountObjects(page.raw), raw.FPDFPage_GetObject, raw.FPDFPageObj_GetType
    bounds, path, handle = raw.FPDFPageObj_GetBounds, raw.FPDF_PAGEOBJ_PATH, page.raw
    for at in range(min(count, _OBJECTS)):
        shape = get(handle, at)
        if kind_of(shape) != path or not bounds(shape, *references):
            continue
        left, bottom, right, top = box
        wide, high = right - left, top - bottom
        if wide < _SHORT and high < _SHORT:
            continue  # a letter or a dot, as in most drawings
        if high <= _THIN:
            _note(across, (bottom + top) / 2, left, right)
        elif wide <= _THIN:
            _note(upright, (left + right) / 2, bottom, top)
        elif (wide >= 2 * _SHORT or high >= 2 * _SHORT) and not _is_curved(shape):
            for (x0, y0), (x1, y1) in _strokes(shape):
                if abs(y1 - y0) < 1:
                    _note(across, y0, min(x0, x1), max(x0, x1))
                elif abs(x1 - x0) < 1:
                    _note(upright, x0, min(y0, y1), max(y0, y1))
    return _joined(across), _joined(upright)


def _note(rules: list[Rule], at: float, start: float, end: float) -> None:
    if end - start >= _SHORT:
        rules.append(Rule(at, start, end))


def _is_curved(shape: Any) -> bool:
    """Tell by its middle whether a path is a drawing or a letter, which most long ones are."""
    from pypdfium2 import raw

    count = raw.FPDFPath_CountSegments(shape)
    if not 2 <= count <= _SEGMENTS:
        return True
    return count > 5 and any(
        raw.FPDFPathSegment_GetType(raw.FPDFPath_GetPathSegment(shape, at)) == raw.FPDF_SEGMENT_BEZIERTO
        for at in (count // 2, 1)
    )


def _strokes(shape: Any) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the straight pieces of a path, in the page's coordinates."""
    from pypdfium2 import raw

    count = raw.FPDFPath_CountSegments(shape)
    matrix = raw.FS_MATRIX()
    if not 2 <= count <= _SEGMENTS or not raw.FPDFPageObj_GetMatrix(shape, ctypes.byref(matrix)):
        return
    x, y = ctypes.c_float(), ctypes.c_float()
    start = last = (0.0, 0.0)
    for at in range(count):
        segment = raw.FPDFPath_GetPathSegment(shape, at)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_BEZIERTO:
            return  # a drawing or a letter
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield last, point
        if raw.FPDFPathSegment_GetClose(segment):
            yield point, start
        last = point


def _joined(rules: list[Rule]) -> list[Rule]:
    """Return `rules` with those on one level joined where they touch."""
    joined: list[Rule] = []
    level: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: rule.at):
        if level and rule.at - level[0].at > _NEAR:
            joined += _joined_level(level)
            level = []
        level.append(rule)
    return joined + _joined_level(level)


def _joined_level(level: list[Rule]) -> list[Rule]:
    joined: list[Rule] = []
    for rule in sorted(level, key=lambda rule: rule.start):
        if joined and rule.start - joined[-1].end <= _NEAR:
            joined[-1] = Rule(joined[-1].at, joined[-1].start, max(joined[-1].end, rule.end))
        else:
            joined.append(rule)
    return joined


def _crossing(across: list[Rule], upright: list[Rule]) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Yield the groups of lines that hang together by crossing."""
    waiting_across, waiting_upright = list(across), list(upright)
    while waiting_across:
        group: tuple[list[Rule], list[Rule]] = ([waiting_across.pop(0)], [])
        fresh, fresh_is_across = group[0][:], True
        while fresh:
            others = waiting_upright if fresh_is_across else waiting_across
            met = [other for other in others if any(_cross(rule, other) for rule in fresh)]
            for rule in met:
                others.remove(rule)
            group[1 if fresh_is_across else 0].extend(met)
            fresh, fresh_is_across = met, not fresh_is_across
        if len(group[0]) >= 3 and len(group[1]) >= 2:
            yield group


def _cross(one: Rule, other: Rule) -> bool:
    return one.reaches(other.at) and other.reaches(one.at)


def _table(across: list[Rule], upright: list[Rule], text: PdfTextPage) -> RuledTable | None:
    left, right = min(rule.start for rule in across), max(rule.end for rule in across)
    bottom, top = min(rule.start for rule in upright), max(rule.end for rule in upright)
    columns = _levels([left, right, *(rule.at for rule in upright)])
    levels = _levels([bottom, top, *(rule.at for rule in across)])[::-1]
    if len(columns) < 3 or len(levels) < 3 or len(columns) * len(levels) > _CELLS:
        return None
    rows = [_row(high, low, columns, upright, text) for high, low in pairwise(levels)]
    if sum(bool(cell) for row in rows for cell in row) < _FILLED_CELLS or _rules_group_rows(rows):
        return None
    return RuledTable(Box(left, bottom, right, top), [[" ".join(cell.split()) for cell in row] for row in rows])


def _levels(positions: list[float]) -> list[float]:
    """Return sorted positions without those that are only a pen's width from the one before."""
    levels: list[float] = []
    for position in sorted(positions):
        if not levels or position - levels[-1] > 2 * _NEAR:
            levels.append(position)
    return levels


def _row(high: float, low: float, columns: list[float], upright: list[Rule], text: PdfTextPage) -> list[str]:
    """Return the cells between two lines. Where no line parts two columns, the cell is theirs together."""
    middle = (high + low) / 2
    parted = {rule.at for rule in upright if rule.start <= middle <= rule.end}
    cells: list[str] = []
    left = columns[0]
    for column in columns[1:]:
        cells.append("")
        if column == columns[-1] or any(abs(at - column) <= 2 * _NEAR for at in parted):
            first = columns.index(left)
            cells[first] = text_in(text, Box(left, low, column, high))
            left = column
    return cells


def _rules_group_rows(rows: list[list[str]]) -> bool:
    """Tell whether rules stand only between groups of rows, so that a cell holds one column's values of several rows.

    Read line by line such a table is better than as a grid.
    """
    for row in rows:
        heights = [cell.count("\n") + 1 for cell in row if cell]
        if len(heights) >= 3 and min(heights) >= 2 and min(heights) == max(heights):
            return True
    return False
