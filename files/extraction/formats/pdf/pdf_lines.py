"""Lines of a PDF page from PDFium: text, position and size at a few calls per line, columns in reading order."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

_BREAK = re.compile(r"\r\n|\r|\n")
_LINE_END_HYPHEN = "\ufffe"  # what PDFium gives for a hyphen that only the line's end called for
_MIN_ALTERNATIONS = 4
_RUNS_PER_LINE = 1.4
_RUNS = 1_000
_COLUMN_SHARE = 0.25  # of the text's width: a narrower run beside another is a table's cell, not a column of prose


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from its lower left corner."""

    left: float
    bottom: float
    right: float
    top: float


class PageLine(NamedTuple):
    """A line of text. `left` and `top` are its first character's; `height` grows with the font's size."""

    text: str
    left: float
    top: float
    height: float


def page_lines(page: PdfTextPage) -> list[PageLine]:
    """Return the lines of `page` in reading order, without empty ones, but with the vertical gaps they leave."""
    text = page.get_text_range(errors="replace")
    if not text.strip():
        return []
    if columns := _interleaved_columns(_boxes(page, text.count("\n") + 1)):
        return _lines_by_column(page, columns)
    return _lines_in_order(page, text)


def _lines_in_order(page: PdfTextPage, text: str) -> list[PageLine]:
    from pypdfium2 import raw

    rectangle = raw.FS_RECTF()
    reference = ctypes.byref(rectangle)
    narrow = text.isascii() or max(text) <= "\uffff"
    # Where every character of the text is one of the page's, their numbers are the same.
    same = narrow and raw.FPDFText_CountChars(page.raw) == len(text)
    number_of, box_of, handle = raw.FPDFText_GetCharIndexFromTextIndex, raw.FPDFText_GetLooseCharBox, page.raw
    lines, at = [], 0
    for part in _BREAK.split(text):
        stripped = part.strip()
        if stripped:
            first = at + len(part) - len(part.lstrip())
            box_of(handle, first if same else number_of(handle, first), reference)
            top = rectangle.top
            lines.append(PageLine(stripped, rectangle.left, top, round(top - rectangle.bottom, 1)))
        at += (len(part) if narrow else len(part.encode("utf-16-le", "replace")) // 2) + 2  # PDFium breaks with CR LF
    return lines


def joined(lines: list[str]) -> str:
    """Return the lines of a paragraph as one text; a word that was broken at a line's end is whole again."""
    text = "\n".join(lines)
    if _LINE_END_HYPHEN in text:
        text = text.replace(_LINE_END_HYPHEN + "\n", "").replace(_LINE_END_HYPHEN, "")
    return text


def text_in(page: PdfTextPage, box: Box) -> str:
    """Return the text inside `box`, lines as they are drawn."""
    text = page.get_text_bounded(box.left, box.bottom, box.right, box.top, errors="replace")
    return joined([line for part in _BREAK.split(text) if (line := part.strip())])


def _boxes(page: PdfTextPage, lines: int) -> list[Box]:
    """Return PDFium's runs of text: pieces of lines, in the order of the page's content.

    A page with hardly more runs than `lines` has no line that jumps over a gutter: then none is returned, unread.
    """
    from pypdfium2 import raw

    count = raw.FPDFText_CountRects(page.raw, 0, -1)
    if count < _RUNS_PER_LINE * lines or count > _RUNS:
        return []

    sides = (ctypes.c_double * 4)()
    size = ctypes.sizeof(ctypes.c_double)
    references = [ctypes.byref(ctypes.c_double.from_buffer(sides, size * at)) for at in range(4)]
    get, handle = raw.FPDFText_GetRect, page.raw
    boxes = []
    for at in range(count):
        get(handle, at, *references)
        left, top, right, bottom = sides
        boxes.append(Box(left, bottom, right, top))
    return boxes


def _interleaved_columns(boxes: list[Box]) -> tuple[list[Box], float] | None:
    """Return the runs and the gutter between two columns that the page draws line by line, None for a usual page.

    The sign: runs jump from left of one vertical gap to right of it on the same line, again and again, and nothing
    but titles lies across the gap.
    """
    jumps = [
        (before.right, after.left)
        for before, after in pairwise(boxes)
        if abs(before.bottom - after.bottom) < 4 and after.left - before.right > 8
    ]
    if len(jumps) < _MIN_ALTERNATIONS:
        return None
    low, high = max(right for right, _ in jumps), min(left for _, left in jumps)
    if high - low < 8:
        return None
    gutter = (low + high) / 2
    sides = [[box for box in boxes if box.right <= gutter], [box for box in boxes if box.left >= gutter]]
    width = max(box.right for box in boxes) - min(box.left for box in boxes)
    usual = [sorted(box.right - box.left for box in side)[len(side) // 2] for side in sides if side]
    crossing = len(boxes) - sum(map(len, sides))
    both_wide = len(usual) == 2 and min(usual) >= _COLUMN_SHARE * width
    steady = len(jumps) >= 0.6 * min(map(len, sides)) and crossing <= 0.2 * len(boxes)
    return (boxes, gutter) if both_wide and steady else None


def _lines_by_column(page: PdfTextPage, columns: tuple[list[Box], float]) -> list[PageLine]:
    """Read band by band: what lies across the gutter ends a band, in which the left column comes before the right."""
    boxes, gutter = columns
    bands: list[tuple[list[PageLine], list[PageLine]]] = [([], [])]
    for box in boxes:
        text = text_in(page, box)
        if not text:
            continue
        line = PageLine(text, box.left, box.top, round(box.top - box.bottom, 1))
        if box.left < gutter < box.right:
            bands += [([line], []), ([], [])]
        else:
            bands[-1][box.left >= gutter].append(line)
    return [line for left, right in bands for line in (*left, *right)]
