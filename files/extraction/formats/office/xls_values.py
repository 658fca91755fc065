"""What the values in a binary Excel workbook mean: packed numbers, dates by their format, the table of shared texts."""

from __future__ import annotations

import datetime
import re
import struct

from files.extraction.formats.office.sheet_tables import shown

_BUILT_IN_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.I)
_DATE_CODE = re.compile(r"[dmyhs]", re.I)
_LAST_DAY = 2_958_466  # the first of January 10000


def date_formats(formats: dict[int, str], cell_formats: list[int]) -> frozenset[int]:
    """Return which cell formats show a number as a date or a time."""
    custom = {number for number, code in formats.items() if _is_date(code)}
    plain = set(formats) - custom
    return frozenset(
        at for at, number in enumerate(cell_formats) if number in custom or (number in _BUILT_IN_DATES - plain)
    )


def _is_date(code: str) -> bool:
    bare = _NOT_CODE.sub("", code.partition(";")[0])
    return bool(_DATE_CODE.search(bare)) and "general" not in bare.lower()


def decoded_rk(packed: int) -> float:
    """Return the number that Excel packed into four bytes."""
    if packed & 2:
        value = float((packed - (1 << 32) if packed & 0x8000_0000 else packed) >> 2)
    else:
        (value,) = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFF_FFFC) << 32))
    return value / 100 if packed & 1 else value


def shown_number(value: float, *, is_date: bool, from_1904: bool) -> str:
    """Return a number as text, a date where its format says so."""
    if not is_date or not 0 <= value < _LAST_DAY:
        return shown(value)
    if value < 1:
        seconds = round(value * 86_400) % 86_400
        return str(datetime.timedelta(seconds=seconds)).rjust(8, "0")
    start = datetime.datetime(1904, 1, 1) if from_1904 else datetime.datetime(1899, 12, 30)
    if not from_1904 and value < 60:  # Excel counts a 29 February 1900 that never was
        value += 1
    return shown(start + datetime.timedelta(seconds=round(value * 86_400)))


def read_shared_strings(parts: list[bytes]) -> list[str]:
    """Return the shared texts from the records that hold them. What is cut off is left out."""
    reader = _Strings(parts)
    found: list[str] = []
    try:
        _, count = struct.unpack("<II", reader.take(8))
        while len(found) < count and not reader.at_end:
            found.append(reader.text())
    except (struct.error, IndexError):
        pass
    return found


class _Strings:
    """Reads texts that go on from one record to the next; in the next, a byte tells anew how wide they are."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._part = 0
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._part >= len(self._parts) - 1 and self._at >= len(self._parts[-1])

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end."""
        out = b""
        while size > 0 and not self.at_end:
            piece = self._parts[self._part][self._at : self._at + size]
            out += piece
            size -= len(piece)
            self._at += len(piece)
            if size > 0:
                self._part, self._at = self._part + 1, 0
        return out

    def text(self) -> str:
        """Return the next text, without its formatting."""
        count, flags = struct.unpack("<HB", self.take(3))
        runs = int.from_bytes(self.take(2), "little") if flags & 8 else 0
        extra = int.from_bytes(self.take(4), "little") if flags & 4 else 0
        out: list[str] = []
        wide = bool(flags & 1)
        while count > 0 and not self.at_end:
            part = self._parts[self._part]
            if self._at >= len(part):
                self._part, self._at = self._part + 1, 1
                part = self._parts[self._part]
                wide = bool(part[0] & 1)
            data = part[self._at : self._at + count * (2 if wide else 1)]
            self._at += len(data)
            count -= len(data) // 2 if wide else len(data)
            out.append(data.decode("utf-16-le" if wide else "latin-1", "replace"))
            if wide and len(data) < 2:
                self._at = len(part)
        self._skip(4 * runs + extra)
        return "".join(out)

    def _skip(self, size: int) -> None:
        while size > 0 and not self.at_end:
            step = min(size, len(self._parts[self._part]) - self._at)
            size -= step
            self._at += step
            if size > 0:
                self._part, self._at = self._part + 1, 0
