"""The records of a binary Excel workbook, from Excel 2 to 2003, read once from front to back with memory for one row.

The libraries at hand hold the whole rectangle of a sheet in memory: one cell in each corner would cost a gigabyte.
Source: [MS-XLS], and the OpenOffice documentation of the Excel format for what is older.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.errors import EncryptedFile, MalformedFile
from files.extraction.formats.office.ole import code_page_codec
from files.extraction.formats.office.xls_values import date_formats, decoded_rk, read_shared_strings, shown_number

_BEGIN, _END, _CONTINUE, _FILE_PASS = 0x09, 0x0A, 0x3C, 0x2F  # the second byte of the first tells the version
_SHEET, _SHARED_STRINGS, _CODE_PAGE, _DATE_MODE, _FORMAT, _CELL_FORMAT = 0x85, 0xFC, 0x42, 0x22, 0x1E, 0xE0
_NUMBER, _LABEL, _LOGICAL, _STRING, _RK = 0x03, 0x04, 0x05, 0x07, 0x7E
_FORMULA, _INTEGER, _MANY_RK, _RICH_LABEL, _SHARED_LABEL = 0x06, 0x02, 0xBD, 0xD6, 0xFD
_OBJECT, _NOTE, _DRAWN_TEXT, _SERIES_TEXT, _HEADER, _FOOTER = 0x5D, 0x1C, 0x1B6, 0x100D, 0x14, 0x15
_VERSIONED = frozenset((_BEGIN, _FORMAT, _NUMBER, _LABEL, _LOGICAL, _STRING, _FORMULA, _RK))
_EXCEL_97, _EXCEL_5, _EXCEL_3 = 8, 5, 3
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_SHEETS = 4096

Cell = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class XlsSheet:
    """A sheet as the workbook lists it."""

    name: str
    start: int
    hidden: bool
    holds_cells: bool


@dataclass(slots=True)
class SheetTexts:
    """What a sheet holds beside its cells: comments, text boxes, titles of charts.

    The text of a comment comes with a drawn object, its cell in a record of its own, after it.
    """

    found: list[tuple[int, str]] = field(default_factory=list)  # with the number of the object, 0 for none
    commented: dict[int, tuple[int, int]] = field(default_factory=dict)  # row and column by the number of the object
    latest: int = 0


class XlsWorkbook:
    """One workbook stream. Raises EncryptedFile, MalformedFile."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._codec = "cp1252"
        self._from_1904 = False
        self._strings: list[str] = []
        self._formats: dict[int, str] = {}
        self._cell_formats: list[int] = []
        self.sheets: list[XlsSheet] = []
        self.version = self._find_version()
        self._read_globals()
        self._dates = date_formats(self._formats, self._cell_formats)

    def _find_version(self) -> int:
        if len(self._data) < 8 or self._data[0] != _BEGIN:
            raise MalformedFile
        written = self._data[1]
        if written != 8:
            return {0: 2, 2: 3, 4: 4}.get(written, 0) or self._refuse()
        return _EXCEL_97 if self._data[4:6] == b"\x00\x06" else _EXCEL_5

    def _refuse(self) -> int:
        raise MalformedFile

    def _read_globals(self) -> None:
        for kind, start, size in self.records(0):
            if kind == _FILE_PASS:
                raise EncryptedFile
            if kind == _END and self.version >= _EXCEL_5:
                break
            self._read_global(kind, start, size)
        if self.version < _EXCEL_5:
            self.sheets = [XlsSheet("Sheet1", 0, hidden=False, holds_cells=True)]
        elif not self.sheets:
            raise MalformedFile

    def _read_global(self, kind: int, start: int, size: int) -> None:
        data = self._data[start : start + size]
        if kind == _SHEET and size >= 8 and len(self.sheets) < _SHEETS:
            (place,) = struct.unpack_from("<I", data)
            if any(sheet.start == place for sheet in self.sheets):
                return  # a second name for the same cells would multiply them
            name = self._short_text(data[6:])
            self.sheets.append(XlsSheet(name, place, hidden=data[4] & 3 != 0, holds_cells=data[5] in (0, 1)))
        elif kind == _SHARED_STRINGS:
            self._strings = read_shared_strings(self._with_continued(start, size))
        elif kind == _CODE_PAGE and size >= 2:
            self._codec = {0x8000: "mac_roman", 0x8001: "cp1252"}.get(_word(data)) or code_page_codec(_word(data))
        elif kind == _DATE_MODE and size >= 2:
            self._from_1904 = _word(data) == 1
        elif kind == _FORMAT and size > 3 and self.version >= _EXCEL_5:
            wide = self.version == _EXCEL_97
            self._formats[_word(data)] = self._long_text(data[2:]) if wide else self._short_text(data[2:])
        elif kind == _CELL_FORMAT and size >= 4:
            self._cell_formats.append(_word(data, 2))

    def records(self, at: int) -> Iterator[tuple[int, int, int]]:
        """Yield kind, start and size of the records from `at` on; kinds that differ by version alone are made one."""
        data = self._data
        while at + 4 <= len(data):
            kind, size = struct.unpack_from("<HH", data, at)
            if not kind and not size:  # padding
                return
            if kind > 0xFF and kind & 0xFF in _VERSIONED and kind >> 8 in (2, 4, 8):
                kind &= 0xFF
            yield kind, at + 4, min(size, len(data) - at - 4)
            at += 4 + size

    def cells(self, sheet: XlsSheet, texts: SheetTexts) -> Iterator[Cell]:
        """Yield row, column (both from 0) and text of the filled cells of a sheet; gather its other texts."""
        depth = 0
        drawn = False
        waiting: tuple[int, int] | None = None
        for kind, start, size in self.records(sheet.start):
            if kind == _BEGIN:
                depth += 1
            elif kind == _END:
                depth -= 1
                if depth <= 0:
                    return
            elif kind == _FORMULA and size >= 14 and depth == 1:
                waiting, text = self._formula(start)
                if text:
                    yield (*struct.unpack_from("<HH", self._data, start), text)
            elif kind == _STRING and waiting and size > 2:
                yield (*waiting, self._long_text(self._data[start : start + size]))
                waiting = None
            elif depth == 1 and (found := self._cell(kind, start, size)):
                yield from found
            else:
                self._gather(texts, kind, start, size, drawn=drawn)
            drawn = kind == _DRAWN_TEXT and size >= 12 and self._data[start + 10 : start + 12] != b"\0\0"

    def _gather(self, texts: SheetTexts, kind: int, start: int, size: int, *, drawn: bool) -> None:
        """Keep what a record holds beside cells: an object's number, a comment's cell, a text."""
        if kind == _OBJECT and size >= 8:
            texts.latest = _word(self._data, start + 6)
        elif kind == _NOTE and size >= 8 and self.version == _EXCEL_97:
            row, column, _, number = struct.unpack_from("<4H", self._data, start)
            texts.commented[number] = (row, column)
        elif text := self._loose_text(kind, start, size, drawn=drawn):
            texts.found.append((texts.latest if kind == _CONTINUE else 0, text))

    def first_column(self, sheet: XlsSheet) -> int:
        """Return the leftmost column, from 0, that the sheet says it uses: a label for its cells, nothing more."""
        for kind, start, size in self.records(sheet.start):
            if kind in (0x00, 0x200) and size >= 8:
                at = start + (8 if self.version == _EXCEL_97 and size >= 12 else 4)
                return min(_word(self._data, at), 255)
            if kind in (_NUMBER, _LABEL, _SHARED_LABEL, _END):
                break
        return 0

    def _cell(self, kind: int, start: int, size: int) -> list[Cell]:
        """Return the cells that a record holds; empty when it is not one of cells."""
        if size < 7 or kind not in (_NUMBER, _LABEL, _RICH_LABEL, _SHARED_LABEL, _RK, _MANY_RK, _LOGICAL, _INTEGER):
            return []
        data = self._data
        row, column = struct.unpack_from("<HH", data, start)
        if kind == _MANY_RK:
            count = (size - 6) // 6
            pairs = [struct.unpack_from("<HI", data, start + 4 + 6 * at) for at in range(count)]
            return [(row, column + at, self._number(decoded_rk(rk), xf)) for at, (xf, rk) in enumerate(pairs)]
        value = self._value(kind, start, size)
        return [(row, column, value)] if value else []

    def _value(self, kind: int, start: int, size: int) -> str:
        data = self._data
        old = self.version < _EXCEL_3
        at = start + (7 if old else 6)  # Excel 2 keeps a cell's looks in three bytes instead of two
        left = start + size - at
        xf = 0 if old else _word(data, start + 4)
        if kind in (_LABEL, _RICH_LABEL):
            return self._short_text(data[at : at + left]) if old else self._long_text(data[at : at + left])
        value = ""
        if kind == _NUMBER and left >= 8:
            value = self._number(struct.unpack_from("<d", data, at)[0], xf)
        elif kind == _RK and left >= 4:
            value = self._number(decoded_rk(struct.unpack_from("<I", data, at)[0]), xf)
        elif kind == _SHARED_LABEL and left >= 4:
            (index,) = struct.unpack_from("<I", data, at)
            value = self._strings[index] if index < len(self._strings) else ""
        elif kind == _LOGICAL and left >= 2:
            value = _logical(data[at], is_error=data[at + 1] != 0)
        elif kind == _INTEGER and old and left >= 2:
            value = str(_word(data, at))
        return value

    def _formula(self, start: int) -> tuple[tuple[int, int] | None, str]:
        """Return the cell whose text follows, or the value that the formula had when the file was saved."""
        old = self.version < _EXCEL_3
        at = start + (7 if old else 6)
        result = self._data[at : at + 8]
        if result[6:8] != b"\xff\xff":
            xf = 0 if old else _word(self._data, start + 4)
            return None, self._number(struct.unpack("<d", result.ljust(8, b"\0"))[0], xf)
        if result[0] == 0:
            row, column = struct.unpack_from("<HH", self._data, start)
            return (row, column), ""
        return None, _logical(result[2], is_error=result[0] == 2) if result[0] in (1, 2) else ""

    def _number(self, value: float, xf: int) -> str:
        return shown_number(value, is_date=xf in self._dates, from_1904=self._from_1904)

    def _loose_text(self, kind: int, start: int, size: int, *, drawn: bool) -> str:
        """Return the text of a comment, a text box, a chart's title or the line above or below the pages."""
        data = self._data[start : start + size]
        modern = self.version == _EXCEL_97
        if kind == _CONTINUE and drawn and size > 1:
            return _characters(data[1:], wide=bool(data[0] & 1))
        if kind == _SERIES_TEXT and size > 3:
            return self._short_text(data[2:])
        if kind in (_HEADER, _FOOTER) and size > 1:
            return _without_codes(self._long_text(data) if modern else self._short_text(data))
        return self._decoded(data[6:]) if kind == _NOTE and size > 6 and not modern else ""

    def _with_continued(self, start: int, size: int) -> list[bytes]:
        """Return a record and the ones that continue it."""
        parts = [self._data[start : start + size]]
        for kind, at, length in self.records(start + size):
            if kind != _CONTINUE:
                break
            parts.append(self._data[at : at + length])
        return parts

    def _short_text(self, data: bytes) -> str:
        """Read a text whose length is one byte."""
        if self.version == _EXCEL_97:
            wide = len(data) > 1 and data[1] & 1
            return _characters(data[2 : 2 + data[0] * (2 if wide else 1)], wide=bool(wide)) if len(data) > 1 else ""
        return self._decoded(data[1 : 1 + data[0]]) if data else ""

    def _long_text(self, data: bytes) -> str:
        """Read a text whose length is two bytes."""
        if self.version == _EXCEL_97:
            if len(data) < 3:
                return ""
            flags, count, at = data[2], _word(data), 3
            at += (2 if flags & 8 else 0) + (4 if flags & 4 else 0)
            return _characters(data[at : at + count * (2 if flags & 1 else 1)], wide=bool(flags & 1))
        return self._decoded(data[2 : 2 + _word(data)])

    def _decoded(self, data: bytes) -> str:
        return data.decode(self._codec, "replace").strip("\0")


def _logical(value: int, *, is_error: bool) -> str:
    if is_error:
        return _ERRORS.get(value, "#ERROR!")
    return "TRUE" if value else "FALSE"


def _characters(data: bytes, *, wide: bool) -> str:
    return data.decode("utf-16-le" if wide else "latin-1", "replace").strip("\0")


def _without_codes(text: str) -> str:
    """Return a page header without the codes for sides, fonts, page numbers and dates."""
    out, at = [], 0
    while at < len(text):
        if text[at] != "&":
            out.append(text[at])
        elif text[at + 1 : at + 2] == '"':
            at = text.find('"', at + 2) if '"' in text[at + 2 :] else len(text)
        elif text[at + 1 : at + 2] == "&":
            out.append("&")
            at += 1
        else:
            at += 1
            while text[at : at + 1].isdigit() and text[at + 1 : at + 2].isdigit():
                at += 1
            out.append(" ")
        at += 1
    return " ".join("".join(out).split())


def _word(data: bytes, at: int = 0) -> int:
    return int.from_bytes(data[at : at + 2], "little")
