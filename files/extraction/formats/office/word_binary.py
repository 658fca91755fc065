"""The binary Word format, from Word 6 to 2003: where the pieces of text lie and what their paragraphs are.

A document is one run of characters (the body, then footnotes, headers, comments …) that a table of pieces spreads over
the file. Formatting hangs on file positions, so every piece keeps its own. Source: [MS-DOC].
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.errors import EncryptedFile, MalformedFile

_WORD_97, _WORD_6 = 0xA5EC, 0xA5DC
_ENCRYPTED, _COMPLEX, _SECOND_TABLE = 0x0100, 0x0004, 0x0200
_COMPRESSED = 0x4000_0000
_PAGE = 512
_STYLES, _CHARACTERS, _PARAGRAPHS, _PIECES = 1, 12, 13, 33  # indexes into the FIB's table of places
_OPERAND_BYTES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
_IN_TABLE, _ROW_END, _OUTLINE, _LIST = 0x2416, 0x2417, 0x2640, 0x460B
_DELETED = 0x0800
_HEADINGS = range(1, 10)
_TITLE = 62
_BASE_DEPTH = 12
STORIES = ("body", "footnotes", "headers", "macros", "comments", "endnotes", "text boxes", "header text boxes")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What a paragraph is. `level` counts headings from 1, 0 for none."""

    level: int = 0
    listed: bool = False
    in_table: bool = False
    row_end: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int  # in characters of the document
    end: int
    offset: int  # in bytes of the file
    width: int  # bytes to a character


@dataclass(slots=True)
class _Runs:
    """Formatting by file position: each run goes from its start to the next one's."""

    starts: list[int] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)

    def at(self, offset: int) -> bytes:
        found = bisect_right(self.starts, offset) - 1
        return self.values[found] if found >= 0 else b""


class WordDocument:
    """The text and paragraphs of one binary Word document."""

    def __init__(self, main: bytes, table: bytes, *, codec: str = "cp1252") -> None:
        if len(main) < 0x60 or _word(main, 0) not in (_WORD_97, _WORD_6):
            raise MalformedFile
        if _word(main, 10) & _ENCRYPTED:
            raise EncryptedFile
        self._main, self._table, self._codec = main, table, codec
        self._modern = _word(main, 0) == _WORD_97 and _word(main, 2) >= 0xC0
        self.lengths = self._story_lengths()
        self._pieces = self._find_pieces()
        self._starts = [piece.start for piece in self._pieces]
        self._characters = self._formatting(_CHARACTERS, is_paragraph=False)
        self._paragraphs = self._formatting(_PARAGRAPHS, is_paragraph=True)
        self._levels = self._style_levels() if self._modern else {}
        self._known: dict[bytes, Paragraph] = {}

    def stories(self) -> Iterator[tuple[str, int, str]]:
        """Yield the name of each story, where it starts in the document, and its text in UTF-16 code units.

        Deleted characters are NUL, so that positions hold.
        """
        units = self._units()
        start = 0
        for name, length in zip(STORIES, self.lengths, strict=False):
            end = start + length
            if text := _decoded(units[2 * start : 2 * end]):
                yield name, start, text
            start = end

    def paragraph(self, position: int) -> Paragraph:
        """Return what the paragraph is whose mark stands at `position` of the document."""
        at = bisect_right(self._starts, position) - 1
        if at < 0:
            return Paragraph()
        piece = self._pieces[at]
        value = self._paragraphs.at(piece.offset + (position - piece.start) * piece.width)
        if value not in self._known:
            self._known[value] = self._described(value)
        return self._known[value]

    def _described(self, value: bytes) -> Paragraph:
        if len(value) < 2:
            return Paragraph()
        settings = dict(_settings(value[2:]))
        outline = settings.get(_OUTLINE, b"\x09")[0] + 1
        level = outline if outline < 10 else self._levels.get(_word(value, 0), 0)
        return Paragraph(
            level=level,
            listed=settings.get(_LIST, b"\0\0") not in (b"\0\0", b"\x01\xf8"),
            in_table=settings.get(_IN_TABLE, b"\0") != b"\0",
            row_end=settings.get(_ROW_END, b"\0") != b"\0",
        )

    def _story_lengths(self) -> list[int]:
        first = 0x4C if self._modern else 0x34
        if len(self._main) < first + 32:
            raise MalformedFile
        return [max(0, length) for length in struct.unpack_from("<8i", self._main, first)]

    def _place(self, index: int) -> bytes:
        """Return the structure that the FIB's table of places points to."""
        at = 0x9A + 8 * index
        if not self._modern or len(self._main) < at + 8:
            return b""
        start, size = struct.unpack_from("<II", self._main, at)
        return self._table[start : start + size]

    def _find_pieces(self) -> list[_Piece]:
        pieces = list(self._piece_table())
        if not pieces:
            start, end = struct.unpack_from("<II", self._main, 0x18)
            width = 2 if self._modern and sum(self.lengths) * 2 <= end - start else 1
            pieces = [_Piece(0, max(0, min(end, len(self._main)) - start) // width, start, width)]
        return pieces

    def _piece_table(self) -> Iterator[_Piece]:
        data = self._place(_PIECES)
        if not self._modern and _word(self._main, 10) & _COMPLEX and len(self._main) >= 0x168:
            start, size = struct.unpack_from("<II", self._main, 0x160)
            data = self._main[start : start + size]
        at = 0
        while at + 3 <= len(data) and data[at] == 1:  # property lists, of use to Word alone
            at += 3 + _word(data, at + 1)
        if at + 5 > len(data) or data[at] != 2:
            return
        count = (min(struct.unpack_from("<I", data, at + 1)[0], len(data) - at - 5) - 4) // 12
        at += 5
        for index in range(count):
            start, end = struct.unpack_from("<II", data, at + 4 * index)
            (offset,) = struct.unpack_from("<I", data, at + 4 * (count + 1) + 8 * index + 2)
            if end <= start:
                continue
            narrow = not self._modern or offset & _COMPRESSED
            if narrow and self._modern:
                offset = (offset & ~_COMPRESSED) // 2
            yield _Piece(start, end, offset, 1 if narrow else 2)

    def _units(self) -> bytes:
        """Return the whole document in UTF-16-LE, pieces in their order, gaps closed with NUL."""
        units = bytearray()
        most = 2 * len(self._main)  # pieces that overlap cannot make a small file a large one
        for piece in self._pieces:
            gap = 2 * piece.start - len(units)
            if not 0 <= gap <= most:
                raise MalformedFile
            units += bytes(gap)
            size = (piece.end - piece.start) * piece.width
            data = self._main[piece.offset : piece.offset + size]
            most -= len(data)
            units += self._decoded(data, piece)
        return bytes(units)

    def _decoded(self, data: bytes, piece: _Piece) -> bytes:
        wide = bytearray(data if piece.width == 2 else _widened(data, self._codec))
        for start, end in self._deleted(piece.offset, piece.offset + len(data)):
            first, last = (start - piece.offset) // piece.width * 2, (end - piece.offset) // piece.width * 2
            for at in range(first, last, 2):
                if wide[at : at + 2] != b"\x07\x00":
                    wide[at : at + 2] = b"\0\0"
        return bytes(wide[: len(wide) // 2 * 2])

    def _deleted(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        runs = self._characters
        at = max(0, bisect_right(runs.starts, start) - 1)
        while at < len(runs.starts) and runs.starts[at] < end:
            following = runs.starts[at + 1] if at + 1 < len(runs.starts) else end
            if runs.values[at] and dict(_settings(runs.values[at])).get(_DELETED, b"\0") == b"\x01":
                yield max(start, runs.starts[at]), min(end, following)
            at += 1

    def _formatting(self, index: int, *, is_paragraph: bool) -> _Runs:
        """Return the formatting runs of the whole file, in order; an empty one for Word 6."""
        places = self._place(index)
        count = (len(places) - 4) // 8
        found: dict[int, bytes] = {}
        pages = struct.unpack_from(f"<{count}I", places, 4 * (count + 1)) if count > 0 else ()
        for number in dict.fromkeys(page & 0x3FFFFF for page in pages):
            page = self._main[number * _PAGE : (number + 1) * _PAGE]
            if len(page) == _PAGE:
                found.update(_page_runs(page, is_paragraph=is_paragraph))
        starts = sorted(found)
        return _Runs(starts, [found[start] for start in starts])

    def _style_levels(self) -> dict[int, int]:
        """Return the heading level of each style that is, or is based on, a heading."""
        data = self._place(_STYLES)
        if len(data) < 4:
            return {number: number for number in _HEADINGS}  # their numbers are the same in every document
        at, styles = 2 + _word(data, 0), []
        for _ in range(min(_word(data, 2), 4096)):
            size = _word(data, at) if at + 2 <= len(data) else 0
            style = data[at + 2 : at + 2 + size]
            styles.append((_word(style, 0) & 0xFFF, _word(style, 2) >> 4) if size >= 4 and len(style) >= 4 else (0, 0))
            at += 2 + size
        return {index: level for index in range(len(styles)) if (level := _level_of(index, styles))}


def _level_of(index: int, styles: list[tuple[int, int]]) -> int:
    for _ in range(_BASE_DEPTH):
        if not 0 <= index < len(styles):
            return 0
        built_in, base = styles[index]
        if built_in in _HEADINGS:
            return built_in
        if built_in == _TITLE:
            return 1
        index = base
    return 0


def _page_runs(page: bytes, *, is_paragraph: bool) -> Iterator[tuple[int, bytes]]:
    """Yield the start and the settings of each run on a formatting page."""
    count, step = page[511], 13 if is_paragraph else 1
    first = 4 * (count + 1)
    if first + count * step > 511:
        return
    starts = struct.unpack_from(f"<{count}I", page)
    for index, start in enumerate(starts):
        at = 2 * page[first + index * step]
        if not at:
            yield start, b""
            continue
        size = page[at]
        if is_paragraph:
            at, size = (at, 2 * size - 1) if size else (at + 1, 2 * page[at + 1] if at < 510 else 0)
        yield start, page[at + 1 : at + 1 + size]


def _settings(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the operand of each setting in a list of them."""
    at = 0
    while at + 3 <= len(data):
        number = _word(data, at)
        size = _OPERAND_BYTES.get(number >> 13, 0)
        at += 2
        if not size:  # its own length stands before it, in two bytes for the definition of a table
            size = _word(data, at) + 1 if number == 0xD608 and at + 2 <= len(data) else data[at] + 1
        yield number, data[at : at + size]
        at += size


def _widened(data: bytes, codec: str) -> bytes:
    """Return bytes of one character each in UTF-16-LE, unit for unit."""
    text = data.decode(codec, "replace")
    if len(text) != len(data):  # two bytes to a character: keep the count by filling up
        text = text.ljust(len(data), "\0")[: len(data)]
    return text.encode("utf-16-le", "replace")


def _decoded(units: bytes) -> str:
    text = units.decode("utf-16-le", "surrogatepass")
    if 2 * len(text) == len(units):
        return text
    return "".join(map(chr, memoryview(units[: len(units) // 2 * 2]).cast("H")))


def table_name(main: bytes) -> str:
    """Return the name of the stream that the tables of a document are in."""
    return "1Table" if len(main) > 12 and _word(main, 10) & _SECOND_TABLE else "0Table"


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")
