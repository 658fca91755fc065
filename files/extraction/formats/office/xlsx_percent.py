"""Numbers that a workbook shows as percentages: calamine gives the number alone, a reader looks for "12%"."""

from __future__ import annotations

import re

from files.extraction.formats.office.packages import Package
from files.extraction.safe_xml import attribute, child, children, parse

_BUILT_IN = {"9": 0, "10": 2}
_LITERAL = re.compile(r'"[^"]{0,200}"|\\.')
_DECIMALS = re.compile(r"\.([0#?]{1,20})")
_CELLS = 200_000  # beyond it they stay plain numbers, so that memory does not grow with the sheet
_MOST_DECIMALS = 4


class PercentCells:
    """Gathers, while a sheet's XML passes, which of its cells have a percentage's format."""

    def __init__(self, styles: dict[bytes, int]) -> None:
        self._styles = styles
        self._found: dict[int, dict[bytes, int]] = {}
        self._left = _CELLS
        listed = b"|".join(sorted(styles))
        self._pattern = re.compile(rb'<(?:x:)?c r="([A-Z]{1,3})(\d{1,7})" s="(' + listed + rb')"') if styles else None

    @property
    def is_empty(self) -> bool:
        """Tell whether no cell is a percentage."""
        return not self._found

    def take(self, block: bytes) -> None:
        """Note the cells in a block of XML."""
        if self._pattern is None or self._left < 0:
            return
        for column, row, style in self._pattern.findall(block):
            self._found.setdefault(int(row), {})[column] = self._styles[style]
            self._left -= 1
        if self._left < 0:
            self._found.clear()

    def apply(self, number: int, values: list[object], texts: list[str], left: int) -> None:
        """Write the percentages of row `number`, whose first cell stands in column `left`, into `texts`."""
        for letters, decimals in self._found.get(number, {}).items():
            at = column_number(letters) - 1 - left
            value = values[at] if 0 <= at < len(values) else None
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                texts[at] = percentage(value, decimals)


def percent_styles(package: Package, workbook: str) -> dict[bytes, int]:
    """Return the cell formats (their number, as it stands in the XML) that are percentages, with their decimals."""
    for part in package.related(workbook, "styles")[:1]:
        root = parse(package.read(part))
        formats = dict(_BUILT_IN)
        for entry in children(child(root, "numFmts"), "numFmt"):
            code = _LITERAL.sub("", attribute(entry, "formatCode"))
            if "%" in code:
                decimals = _DECIMALS.search(code)
                formats[attribute(entry, "numFmtId")] = len(decimals[1]) if decimals else 0
        listed = [attribute(entry, "numFmtId") for entry in children(child(root, "cellXfs"), "xf")]
        return {str(at).encode(): formats[number] for at, number in enumerate(listed) if number in formats}
    return {}


def percentage(value: float, decimals: int) -> str:
    """Return a share as a percentage: exact where that is short, else with the decimals of its format or two."""
    exact = f"{value * 100:.12g}"
    if "e" not in exact and len(exact.partition(".")[2]) <= max(decimals, _MOST_DECIMALS):
        return f"{exact}%"
    return f"{value * 100:.{min(max(decimals, 2), 20)}f}%"


def column_number(letters: bytes) -> int:
    """Return the number of a column counted from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
