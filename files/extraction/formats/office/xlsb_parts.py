"""What calamine does not tell of a binary workbook (XLSB): its sheets' parts, their extent, their comments.

Source: [MS-XLSB] 2.1.4 for the records, 2.4.28 (BrtBeginComment), 2.4.304 (BrtBundleSh).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from files.extraction.errors import MalformedFile
from files.extraction.formats.office.packages import Package
from files.extraction.formats.office.sheet_tables import column_letters

_ROW, _LAST_CELL, _SHEET, _COMMENT, _COMMENT_TEXT = 0, 11, 156, 635, 637
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class BinarySheet:
    """A sheet as the workbook lists it."""

    name: str
    relation: str
    hidden: bool


def binary_sheets(package: Package, part: str) -> list[BinarySheet]:
    """Return the sheets in the order of the workbook. Raises MalformedFile."""
    found = []
    for kind, body in _records(package, part):
        if kind == _SHEET:
            (state,) = _unpack("<I", body, 0)
            relation, at = _string(body, 8)
            name, _ = _string(body, at)
            found.append(BinarySheet(name, relation, state != 0))
    return found


def binary_grid_size(package: Package, part: str) -> int:
    """Return how many cells lie between the first and the last used one, from the cells themselves."""
    first = last = columns = 0
    seen = False
    for kind, body in _records(package, part):
        if kind == _ROW and len(body) >= 4:
            row = int.from_bytes(body[:4], "little")
            first, last, seen = (min(first, row) if seen else row), max(last, row), True
        elif 0 < kind <= _LAST_CELL and len(body) >= 4:
            columns = max(columns, int.from_bytes(body[:4], "little") + 1)
    return (last - first + 1) * max(1, columns)


def binary_comments(package: Package, part: str) -> Iterator[tuple[str, str]]:
    """Yield (cell, text) of each comment. Raises MalformedFile."""
    cell = ""
    for kind, body in _records(package, part):
        if kind == _COMMENT:
            row, _, column = _unpack("<III", body, 4)
            cell = f"{column_letters(min(column, 1 << 14))}{row + 1}"
        elif kind == _COMMENT_TEXT:
            yield cell, _string(body, 1)[0]


def _records(package: Package, part: str) -> Iterator[tuple[int, bytes]]:
    """Yield (type, body) of each record: both numbers before it are written in 7-bit groups, lowest first."""
    with package.open(part) as stream:
        reader = _Reader(stream)
        while (first := reader.byte()) is not None:
            kind = first if first < 128 else (first & 127) | (reader.must() & 127) << 7
            length = shift = 0
            while shift < 28:
                group = reader.must()
                length |= (group & 127) << shift
                shift += 7
                if group < 128:
                    break
            yield kind, reader.take(length)


class _Reader:
    """Takes bytes from a stream, a block at a time."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._block = b""
        self._at = 0

    def byte(self) -> int | None:
        """Return the next byte, None at the end."""
        if self._at >= len(self._block):
            self._block, self._at = self._stream.read(_BLOCK), 0
            if not self._block:
                return None
        self._at += 1
        return self._block[self._at - 1]

    def must(self) -> int:
        """Return the next byte. Raises MalformedFile at the end."""
        found = self.byte()
        if found is None:
            raise MalformedFile
        return found

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes. Raises MalformedFile when there are fewer."""
        end = self._at + length
        if end > len(self._block):
            self._block = self._block[self._at :] + self._stream.read(max(_BLOCK, end - len(self._block)))
            self._at, end = 0, length
            if len(self._block) < length:
                raise MalformedFile
        taken = self._block[self._at : end]
        self._at = end
        return taken


def _unpack(form: str, body: bytes, at: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, body, at)
    except struct.error as exc:
        raise MalformedFile from exc


def _string(body: bytes, at: int) -> tuple[str, int]:
    """Return the string at `at`, its length in characters before it, and where it ends."""
    (length,) = _unpack("<I", body, at)
    end = at + 4 + 2 * min(length, len(body))
    return body[at + 4 : end].decode("utf-16-le", "replace"), end
