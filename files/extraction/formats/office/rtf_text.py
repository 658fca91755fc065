"""RTF as paragraphs and tables: one pass over its tokens, linear in the file, with bounded depth.

Bodies of Outlook messages go through it too, which may hold HTML in disguise ([MS-OXRTFEX]).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from files.extraction.formats.office import rtf_words as words
from files.extraction.formats.office.ole import code_page_codec

_TOKEN = re.compile(
    rb"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|([{}])|([^\\{}\r\n\x00]+)|\\([^A-Za-z])|[\r\n\x00]+|\\"
)
_BRACE = re.compile(rb"\\bin(\d{1,10}) ?|\\[^b]|\\b|([{}])", re.S)
_HEADING = re.compile(r"heading ([1-9])|(title)", re.I)
_DEPTH = 2_000
_STYLE_MARK = "\x1f"
_PRIVATE_USE = re.compile("[\uf020-\uf0ff]")
_BULLETS = "\u00b7\u00a7\u00d8\u00fc\u00a8nqvu"


@dataclass(slots=True)
class RtfBlock:
    """A paragraph, the rows of a table, or a note. `level` counts headings from 1, 0 for none."""

    text: str = ""
    level: int = 0
    rows: list[list[str]] = field(default_factory=list)
    is_note: bool = False


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds inside a group, and ends with it."""

    role: str = ""  # of its text: empty for the document's own
    skipped: bool = False
    hidden: bool = False
    fallback: int = 1  # how many characters follow a Unicode one for old readers
    codec: str | None = None
    symbols: bool = False
    parts: int = 0  # where the text of this group begins, for a group with a role


class RtfReader:
    """Reads one document. `facts` and `cut_off` are right when `blocks` has been read to its end."""

    def __init__(self, data: bytes, *, as_html: bool = False) -> None:
        self.facts: dict[str, object] = {}
        self.cut_off = False
        self._data = data
        self._as_html = as_html
        self._codec = "cp1252"
        self._fonts: dict[int, tuple[str | None, bool]] = {}
        self._font = -1
        self._levels: dict[int, int] = {}
        self._style = -1
        self._open: list[_Group] = []
        self._too_deep = 0
        self._group = _Group()
        self._pending = bytearray()
        self._parts: list[str] = []
        self._to_skip = 0
        self._ignorable = False
        self._level = 0
        self._in_table = False
        self._row: list[str] = []
        self._cell: list[str] = []
        self._rows: list[list[str]] = []
        self._notes: list[str] = []
        self._running: dict[str, None] = {}
        self._time: dict[str, int] = {}
        self._done: list[RtfBlock] = []

    def blocks(self) -> Iterator[RtfBlock]:
        """Yield the document's blocks in reading order; what stands above and below the pages comes last."""
        at, end = 0, len(self._data)
        while at < end:
            at = self._jump(at) if self._group.skipped else self._step(at)
            if self._done:
                yield from self._done
                self._done.clear()
        self._flush()
        self._end_paragraph()
        self._end_table()
        yield from self._done
        self.cut_off = bool(self._open) and not self._data[-64:].rstrip(b"\r\n\t \0").endswith(b"}")
        for text in self._running:
            yield RtfBlock(text, is_note=True)

    def _jump(self, at: int) -> int:
        """Pass over data to the next brace."""
        found = _BRACE.search(self._data, at)
        if found is None:
            return len(self._data)
        if found[1]:
            return self._after_binary(found.end(), int(found[1]))
        if found[2]:
            self._brace(found[2])
        return found.end()

    def _step(self, at: int) -> int:
        found = _TOKEN.match(self._data, at)
        if found is None:
            return at + 1
        kind = found.lastindex
        if kind == 5:
            self._text(found[5])
        elif kind in (1, 2):
            word = found[1].decode("ascii")
            if word == "bin":
                return self._after_binary(found.end(), int(found[2] or 0))
            self._word(word, int(found[2]) if found[2] else None)
        elif kind == 3:
            self._text(bytes((int(found[3], 16),)))
        elif kind == 4:
            self._brace(found[4])
        elif kind == 6:
            if found[6] == b"*":  # a mark only where a group begins
                self._ignorable = self._data[max(0, at - 4) : at].rstrip().endswith(b"{")
            else:
                self._symbol(found[6])
        return found.end()

    def _after_binary(self, at: int, size: int) -> int:
        """Return where binary data ends; a size beyond the end of the file is not believed."""
        return at + size if 0 < size <= len(self._data) - at else at

    def _text(self, data: bytes) -> None:
        if self._to_skip:
            dropped = min(self._to_skip, len(data))
            self._to_skip -= dropped
            data = data[dropped:]
        if not self._group.hidden:
            self._pending += data

    def _flush(self) -> None:
        """Decode what has gathered: bytes of one character may come as text and as escapes."""
        if not self._pending:
            return
        text = bytes(self._pending).decode(self._group.codec or self._codec, "replace")
        self._pending.clear()
        self._parts.append("".join("•" if char in _BULLETS else char for char in text) if self._group.symbols else text)

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._ignorable = False
        if brace == b"{":
            if len(self._open) >= _DEPTH:
                self._too_deep += 1
                return
            self._open.append(self._group)
        elif self._too_deep:
            self._too_deep -= 1
        elif self._open:
            ended, self._group = self._group, self._open.pop()
            if ended.role and ended.role != self._group.role:
                self._close(ended)
        self._to_skip = 0

    def _symbol(self, symbol: bytes) -> None:
        if symbol in (b"\n", b"\r"):
            self._word("par", None)
            return
        text = words.SYMBOLS.get(symbol, "")
        if self._to_skip:
            self._to_skip -= 1
        elif text and not self._group.hidden:
            self._flush()
            self._parts.append(text)

    def _word(self, word: str, number: int | None) -> None:
        if self._ignorable:
            self._ignorable = False
            if not self._is_known(word):
                self._flush()
                self._group = replace(self._group, skipped=True)
                return
        if word == "u" and number is not None:
            self._unicode(number)
            return
        if self._to_skip:
            self._to_skip -= 1
        self._flush()
        if word in words.CHARACTERS:
            if not self._group.hidden:
                self._parts.append(words.CHARACTERS[word])
        elif word in words.SKIPPED:
            self._group = replace(self._group, skipped=True)
        elif not (self._destination(word) or self._structure(word, number) or self._setting(word, number)):
            self._document_setting(word, number)

    def _is_known(self, word: str) -> bool:
        return word in words.SHOWN or word in ("fldinst", "shppict") or (self._as_html and word == "htmltag")

    def _unicode(self, number: int) -> None:
        self._flush()
        self._to_skip = self._group.fallback
        if not self._group.hidden:
            char = chr(number % 0x10000)
            self._parts.append("•" if _PRIVATE_USE.match(char) and chr(ord(char) - 0xF000) in _BULLETS else char)

    def _destination(self, word: str) -> bool:
        """Enter a group whose text has a role of its own; tell whether `word` begins one."""
        role = ""
        if word in words.RUNNING:
            role = "running"
        elif word in words.NOTES or word in ("fldinst", "fonttbl", "stylesheet", "htmltag"):
            role = word
        elif word in words.TIMES or (word in words.FACTS and self._group.role.startswith("info")):
            role = f"info {word}"
        elif word == "info":
            role = "info"
        if role:
            self._group = replace(self._group, role=role, parts=len(self._parts), hidden=False)
        return bool(role)

    def _structure(self, word: str, number: int | None) -> bool:
        """Follow paragraphs and tables; tell whether `word` is about them."""
        in_body = not self._group.role
        if word in words.PARAGRAPH_ENDS:
            if in_body:
                self._end_paragraph()
            else:
                self._parts.append("\n")
        elif word == "pard":
            if in_body:
                self._level, self._in_table = 0, False
        elif word == "intbl":
            self._in_table = self._in_table or in_body
        elif word in ("cell", "nestcell") and in_body:
            self._end_cell(nested=word == "nestcell")
        elif word == "row" and in_body:
            self._end_row()
        elif word in ("outlinelevel", "s") and number is not None:
            self._follow_style(word, number)
        else:
            return False
        return True

    def _follow_style(self, word: str, number: int) -> None:
        """Note the heading level of a paragraph, or of a style where styles are defined."""
        level = number + 1 if 0 <= number < 9 else 0
        defined = self._group.role == "stylesheet"
        if word == "s":
            self._style = number
            if defined:
                self._parts.append(f"{number}{_STYLE_MARK}")
            elif not self._group.role:
                self._level = self._levels.get(number, 0)
        elif defined:
            self._levels[self._style] = level
        elif not self._group.role:
            self._level = level

    def _setting(self, word: str, number: int | None) -> bool:
        """Change what holds in this group; tell whether `word` does."""
        group = self._group
        if word == "f" and number is not None:
            self._font = number
            codec, symbols = self._fonts.get(number, (None, False))
            self._group = replace(group, codec=codec, symbols=symbols)
        elif word == "fcharset" and group.role == "fonttbl":
            self._fonts[self._font] = (words.charset_codec(number or 0), number == 2)
        elif word == "cpg" and group.role == "fonttbl" and number:
            self._fonts[self._font] = (code_page_codec(number), False)
        elif word in ("v", "deleted") or (word == "htmlrtf" and self._as_html):
            self._group = replace(group, hidden=number != 0)
        elif word == "plain":
            self._group = replace(group, hidden=False)
        elif word == "uc":
            self._group = replace(group, fallback=min(max(number or 0, 0), 8))
        else:
            return False
        return True

    def _document_setting(self, word: str, number: int | None) -> None:
        if word == "ansicpg" and number:
            self._codec = code_page_codec(number)
        elif word in ("mac", "pc", "pca"):
            self._codec = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]
        elif word in words.COUNTS and number:
            self.facts[words.COUNTS[word]] = number
        elif word in ("yr", "mo", "dy", "hr", "min") and number is not None:
            self._time[word] = number

    def _close(self, group: _Group) -> None:
        """Take the text of a group with a role out of the paragraph that it stands in."""
        text = "".join(self._parts[group.parts :])
        if group.role == "htmltag":
            return
        del self._parts[group.parts :]
        kind, _, key = group.role.partition(" ")
        if kind == "info" and key in words.TIMES:
            self._keep_time(words.TIMES[key])
        elif kind == "info" and key and text.strip():
            self.facts[words.FACTS[key]] = text.strip()
        elif kind == "stylesheet":
            self._keep_styles(text)
        elif kind == "running" and text.strip():
            self._running[text.strip()] = None
        elif kind in words.NOTES and text.strip():
            self._notes.append(f"Comment: {text.strip()}" if kind == "annotation" else text.strip())

    def _keep_time(self, key: str) -> None:
        found, self._time = self._time, {}
        if found.get("yr", 0) > 1900:
            day = f"{found['yr']:04d}-{found.get('mo', 1):02d}-{found.get('dy', 1):02d}"
            self.facts[key] = f"{day}T{found.get('hr', 0):02d}:{found.get('min', 0):02d}:00"

    def _keep_styles(self, text: str) -> None:
        """Note which styles are headings, by their names."""
        for style in text.split(";"):
            number, _, name = style.rpartition(_STYLE_MARK)
            if (found := _HEADING.match(name.strip())) and number.isdecimal():
                self._levels[int(number)] = int(found[1] or 1)

    def _end_paragraph(self) -> None:
        text = _tidy(self._parts)
        if self._in_table:
            self._cell.append(text)
            return
        self._end_table()
        if text:
            self._done.append(RtfBlock(text, self._level))
        self._end_notes()

    def _end_notes(self) -> None:
        self._done += [RtfBlock(note, is_note=True) for note in self._notes]
        self._notes.clear()

    def _end_cell(self, *, nested: bool) -> None:
        text = _tidy(self._parts)
        self._cell.append(text)
        if not nested:
            self._row.append("\n".join(filter(None, self._cell)))
            self._cell.clear()

    def _end_row(self) -> None:
        if self._row:
            self._rows.append(self._row)
        self._row = []
        self._cell.clear()

    def _end_table(self) -> None:
        left = [*self._row, *filter(None, ["\n".join(filter(None, self._cell))])]
        rows = [*self._rows, left] if any(left) else self._rows
        self._row, self._rows, self._cell = [], [], []
        if rows:
            self._done.append(RtfBlock(rows=rows))


def _tidy(parts: list[str]) -> str:
    text = "".join(parts).replace("\u00a0", " ").strip()
    parts.clear()
    return text
