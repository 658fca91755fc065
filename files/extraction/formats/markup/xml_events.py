"""XML from strangers as a stream of events: start, text, end. Memory does not grow with the file.

Nothing outside the file is opened: no DTD, no entity, no inclusion. Entities that the file declares itself stand for
at most ENTITY_CHARS characters in all, and not for one another. Text that is no XML is read on without its tags.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from xml.parsers import expat

from files.extraction.encoding import detect_encoding, open_text

ENTITY_CHARS = 200_000
_ENTITY_VALUE = 2_000
_BLOCK = 256 * 1024

_DECLARED = re.compile(rb"\s*<\?xml\b[^>]{0,300}?\bencoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&([A-Za-z_][\w.-]{0,100});")
_TAG = re.compile(r"<!--.{0,20000}?-->|<[!/?A-Za-z][^<>]{0,20000}>", re.S)


class Listener(Protocol):
    """Who is told what is in the file. Lines count from 1."""

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        """An element starts."""

    def end(self, name: str, line: int) -> None:
        """An element ends."""

    def text(self, text: str, line: int) -> None:
        """Text inside the innermost element."""


def encoding_of_xml(path: Path) -> str:
    """Return the encoding that the file declares, if it can be decoded so; else the likeliest one."""
    with path.open("rb") as file:
        head = file.read(4096)
    declared = _DECLARED.match(head)
    if declared and not head.startswith(codecs.BOM_UTF8):
        name = declared[1].decode("ascii").lower()
        with suppress(LookupError):
            found = codecs.lookup(name)
            if found.name not in ("utf-8", "utf-7", "utf-16", "utf-32") and name.isascii() and _is_text(found.name):
                return found.name
    return detect_encoding(path)


def _is_text(name: str) -> bool:
    """Tell an encoding of text from Python's other codecs."""
    try:
        return isinstance(b"a".decode(name, "replace"), str)
    except (LookupError, ValueError):
        return False


class XmlReader:
    """Feeds a listener. `broken_at` is the line where the text stopped to be XML, None when it never did."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._entities: dict[str, str] = {}
        self._left = ENTITY_CHARS
        self._fed = 0
        self.broken_at: int | None = None
        self._parser = expat.ParserCreate("utf-8")
        self._parser.UseForeignDTD(True)  # so that an unknown entity is passed over instead of ending the reading
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._declare
        self._parser.DefaultHandler = self._other  # keeps the parser from expanding entities itself
        self._parser.SkippedEntityHandler = lambda name, _is_parameter: self._entity(name)

    def read(self, path: Path, encoding: str) -> Iterator[None]:
        """Read the file at `path`; yield after each block, when the listener may be asked what it has."""
        line = 1
        with open_text(path, encoding) as file:
            first = True
            while block := file.read(_BLOCK) + file.readline(_BLOCK):  # no word and, mostly, no tag is parted
                block = _FORBIDDEN.sub(" ", block.lstrip("\ufeff \t\r\n") if first else block)
                first = False
                if self.broken_at is None:
                    self._feed(block, final=False)
                else:
                    self._read_on(block, line)
                line += block.count("\n")
                yield
        if self.broken_at is None:
            self._feed("", final=True)
            yield

    def _feed(self, block: str, *, final: bool) -> None:
        data = block.encode("utf-8")
        try:
            self._parser.Parse(data, final)
        except expat.ExpatError as error:
            self.broken_at = max(error.lineno, 1)
            done = max(0, self._parser.ErrorByteIndex - self._fed) if not final else len(data)
            self._read_on(data[done:].decode("utf-8", "ignore"), self.broken_at)
        self._fed += len(data)

    def _read_on(self, block: str, line: int) -> None:
        """Give the rest as text: a tag is a border between two pieces of it."""
        for piece in html.unescape(_TAG.sub("\n\n", block)).split("\n\n"):
            if piece.strip():
                self._listener.start("p", {}, line)
                self._listener.text(piece, line)
                self._listener.end("p", line)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._listener.start(name, attributes, self._parser.CurrentLineNumber)

    def _end(self, name: str) -> None:
        self._listener.end(name, self._parser.CurrentLineNumber)

    def _text(self, text: str) -> None:
        self._listener.text(text, self._parser.CurrentLineNumber)

    def _declare(self, name: str, is_parameter: int, value: str | None, *_places: object) -> None:
        if not is_parameter and value is not None and len(value) <= _ENTITY_VALUE and len(self._entities) < 1_000:
            self._entities.setdefault(name, value)

    def _other(self, data: str) -> None:
        if data.startswith("&") and (found := _REFERENCE.fullmatch(data)):
            self._entity(found[1])

    def _entity(self, name: str) -> None:
        """Write what an entity stands for: a name of HTML, or what the file says, without tags and further entities."""
        value = self._entities.get(name)
        text = html.unescape(f"&{name};") if value is None else _TAG.sub(" ", _REFERENCE.sub(_known, value))
        if len(text) <= self._left:
            self._left -= len(text)
            self._text(text)


def _known(reference: re.Match[str]) -> str:
    """Return the character of a predefined entity; nothing for one that the file declares."""
    text = html.unescape(reference[0])
    return text if text != reference[0] else " "
