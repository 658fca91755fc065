"""What kind of values the columns of a text table hold, judged by their first rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from files.extraction.markdown_table import NumberedRow, Row

_ROWS = 1_000
_SAMPLE_ROWS = 3
_SAMPLE_CHARS = 200
_SAMPLE_COLUMNS = 50
_COLUMNS = 500
_VALUE_CHARS = 64

_FRACTION = r"(?:[.,]\d{1,30})?(?:[eE][-+]?\d{1,4})?\s?%?"
_DATE = r"\d{4}-\d\d?-\d\d?|\d{4}/\d\d?/\d\d?"
_TIME = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
# The first that fits a value is its type. All are linear: no part can match what the next one could.
_TYPES = (
    ("integer", re.compile(r"[-+]?\d{1,30}")),
    ("number", re.compile(r"[-+]?(?:\d{1,3}(?:[ ,.'\u00a0]\d{3})+|\d{1,30})?" + _FRACTION)),
    ("date", re.compile(_DATE + r"|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")),
    ("datetime", re.compile(f"(?:{_DATE})[T ]{_TIME}" + r"\s?(?:Z|[+-]\d\d:?\d\d)?")),
    ("time", re.compile(_TIME)),
    ("boolean", re.compile(r"(?i)true|false|yes|no")),
)
_WIDER = {
    frozenset(("integer", "number")): "number",
    frozenset(("date", "datetime")): "datetime",
}


class ColumnTypes:
    """Looks at rows while they pass through."""

    def __init__(self) -> None:
        self._found: list[set[str]] = []
        self._rows = 0
        self.sample: list[list[str]] = []

    def watching(self, rows: Iterator[NumberedRow]) -> Iterator[NumberedRow]:
        """Yield `rows` unchanged."""
        for number, row in rows:
            if self._rows < _ROWS:
                self._look_at(row)
            yield number, row

    def types(self) -> list[str]:
        """Return the type of each column; of one without values, `empty`."""
        return [_joined(found) for found in self._found]

    def _look_at(self, row: Row) -> None:
        self._rows += 1
        if len(self.sample) < _SAMPLE_ROWS:
            self.sample.append([value[:_SAMPLE_CHARS] for value in row[:_SAMPLE_COLUMNS]])
        while len(self._found) < min(len(row), _COLUMNS):
            self._found.append(set())
        for found, value in zip(self._found, row, strict=False):
            if "text" not in found and (value := value.strip()):
                found.add(_type_of(value))


def _type_of(value: str) -> str:
    if len(value) > _VALUE_CHARS or not (value[-1].isdigit() or value[-1] in "%ZsoeSOE"):
        return "text"
    return next((name for name, pattern in _TYPES if pattern.fullmatch(value)), "text")


def _joined(found: set[str]) -> str:
    if len(found) <= 1:
        return next(iter(found), "empty")
    return _WIDER.get(frozenset(found), "text")
