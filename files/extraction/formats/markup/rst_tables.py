"""The two drawn tables of reStructuredText as rows of cells; the first also serves plain text with such boxes."""

from __future__ import annotations

import re
from collections.abc import Sequence

_GRID_RULE = re.compile(r"\s*\+(?:[-=]+\+)+\s*$")
_SIMPLE_RULE = re.compile(r"\s*=+(?:[ \t]+=+)+[ \t]*$")
_SPAN_RULE = re.compile(r"\s*[-=]+(?:[ \t]+[-=]+)*[ \t]*$")


def is_grid_rule(text: str) -> bool:
    """Tell a line such as `+---+---+`."""
    return text.lstrip().startswith("+") and _GRID_RULE.match(text[:2_000]) is not None


def is_simple_rule(text: str) -> bool:
    """Tell a line such as `====  ====`."""
    return text.lstrip().startswith("=") and _SIMPLE_RULE.match(text[:2_000]) is not None


def grid_rows(lines: Sequence[str]) -> tuple[list[list[str]], bool]:
    """Return the rows between the rules of a grid table, and whether the first is its head."""
    rows: list[list[str]] = []
    current: list[list[str]] = []
    headed = False
    for line in lines:
        if is_grid_rule(line):
            if current:
                rows.append([" ".join(filter(None, cell)) for cell in current])
                headed = headed or (len(rows) == 1 and "=" in line)
            current = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        current += [[] for _ in range(len(cells) - len(current))]
        for column, cell in zip(current, cells, strict=False):
            column.append(cell)
    if current:
        rows.append([" ".join(filter(None, cell)) for cell in current])
    return rows, headed


def simple_rows(lines: Sequence[str]) -> tuple[list[list[str]], bool]:
    """Return the rows of a simple table, and whether the first is its head. The first line is its rule."""
    starts = [found.start() for found in re.finditer(r"=+", lines[0])]
    ends = [*starts[1:], None]
    rules = [at for at, line in enumerate(lines) if is_simple_rule(line)]
    rows: list[list[str]] = []
    headed = False
    for at, line in enumerate(lines[1:], 1):
        if _SPAN_RULE.match(line[:2_000]) and line.strip():
            headed = headed or (at in rules and at != rules[-1] and len(rows) > 0)
            continue
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if rows and not cells[0] and any(cells):  # a line that goes on
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], cells, strict=True)]
        elif any(cells):
            rows.append(cells)
    return rows, headed
