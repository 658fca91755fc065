"""Lines found in a picture as paragraphs in reading order: columns from left to right, each from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from files.extraction.ocr.base import TextLine

_PARAGRAPH_GAP = 0.9  # of a line's height, between two lines
_SAME_LINE = 0.5
_MAX_LINES = 5_000
_MAX_CUTS = 200
_GUTTER = 1.2  # of a line's height: the narrowest gap that separates two columns
_COLUMN_LINES = 3


def paragraphs(lines: Sequence[TextLine]) -> list[str]:
    """Return the text of `lines`, whose order means nothing, as paragraphs; a line's parts are joined by spaces."""
    texts = []
    for block in _blocks(list(lines[:_MAX_LINES])):
        texts += [_joined(group) for group in _groups(_rows(block))]
    return [text for text in texts if text]


def _blocks(lines: list[TextLine]) -> list[list[TextLine]]:
    """Cut the page into blocks, first at vertical gutters that run through, then at horizontal gaps, and again.

    The recursive X-Y cut, with a list in place of the recursion. Returns the blocks in reading order.
    """
    waiting, done, cuts = [lines], [], 0
    while waiting:
        block = waiting.pop()
        parts = _columns(block) if cuts < _MAX_CUTS else [block]
        if len(parts) == 1 and cuts < _MAX_CUTS:
            parts = _bands(block)
        if len(parts) == 1:
            done.append(block)
        else:
            cuts += 1
            waiting.extend(reversed(parts))
    return [block for block in done if block]


def _columns(lines: list[TextLine]) -> list[list[TextLine]]:
    if len(lines) < 2 * _COLUMN_LINES:
        return [lines]
    gap = _GUTTER * median(line.height for line in lines)
    ordered = sorted(lines, key=lambda line: line.left)
    cuts, reach = [], ordered[0].right
    for at, line in enumerate(ordered[1:], 1):
        if line.left - reach > gap:
            cuts.append(at)
        reach = max(reach, line.right)
    parts = _split(ordered, cuts)
    # A list's numbers or a table's narrow cells are no column: their rows must stay together.
    return parts if len(parts) > 1 and all(_is_column(part) for part in parts) else [lines]


def _is_column(lines: list[TextLine]) -> bool:
    return len(lines) >= _COLUMN_LINES and median(len(line.text) for line in lines) >= 15


def _bands(lines: list[TextLine]) -> list[list[TextLine]]:
    """Cut where a line that reaches across columns ends them: only if a part then falls into columns."""
    ordered = sorted(lines, key=lambda line: line.top)
    cuts, reach = [], ordered[0].bottom if ordered else 0.0
    for at, line in enumerate(ordered[1:], 1):
        if line.top > reach:
            cuts.append(at)
        reach = max(reach, line.bottom)
    for cut in cuts[:_MAX_CUTS]:
        above, below = ordered[:cut], ordered[cut:]
        if len(_columns(below)) > 1 or len(_columns(above)) > 1:
            return [above, below]
    return [lines]


def _split(ordered: list[TextLine], cuts: list[int]) -> list[list[TextLine]]:
    edges = [0, *cuts, len(ordered)]
    return [ordered[start:end] for start, end in pairwise(edges)]


def _rows(lines: list[TextLine]) -> list[list[TextLine]]:
    """Put what stands on one line together, from left to right."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: (line.top + line.bottom) / 2):
        middle = (line.top + line.bottom) / 2
        last = rows[-1] if rows else []
        if last and middle - (last[-1].top + last[-1].bottom) / 2 < _SAME_LINE * min(line.height, last[-1].height):
            last.append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]


def _groups(rows: list[list[TextLine]]) -> Iterator[list[list[TextLine]]]:
    group: list[list[TextLine]] = []
    for row in rows:
        if group:
            before = group[-1]
            gap = min(line.top for line in row) - max(line.bottom for line in before)
            if gap > _PARAGRAPH_GAP * median(line.height for line in (*row, *before)):
                yield group
                group = []
        group.append(row)
    if group:
        yield group


def _joined(rows: list[list[TextLine]]) -> str:
    return "\n".join(" ".join(line.text.strip() for line in row) for row in rows).strip()
