"""SVG drawings: their words and their size. Nothing is drawn, no script is run, no reference is followed."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import IO, TYPE_CHECKING

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.document import Metadata, Piece, Segment
from files.extraction.errors import MalformedFile, UnsafeArchive
from files.extraction.formats.media.captions import caption
from files.extraction.limits import Limits
from files.extraction.safe_xml import iterate, local_name

if TYPE_CHECKING:
    from lxml.etree import _Element

_GZIP = b"\x1f\x8b"
_SEGMENT_CHARS = 1_500
_LABELS = (("title", ""), ("description", ""), ("author", "By"), ("keywords", "Keywords"))
_WORDLESS = ("script", "style")
_LENGTH = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(px|pt|pc|mm|cm|in)?\s*$")
_PIXELS = {"": 1.0, "px": 1.0, "pt": 96 / 72, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_WORDS = ("text", "title", "desc", "foreignObject", "flowRoot")
_BREAKS = (*_WORDS, "p", "div", "li", "br", "td")
_RIGHTS = {"creator": "author", "date": "created", "language": "language"}


class SvgExtractor(Extractor):
    """Reads plain and compressed SVG element by element. A drawing without words is complete without text."""

    expects_text = False

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield size and title, then the drawing's words: texts, titles, descriptions and labels for screen readers."""
        with source.path.open("rb") as raw, closing(_unpacked(raw, limits.unpacked_for(_size(source)))) as stream:
            yield from _pieces(stream)


def _pieces(stream: IO[bytes]) -> Iterator[Piece]:
    """Yield what the drawing says; what was read before a damaged place comes before its error."""
    drawing = _Drawing()
    held: list[str] = []
    damage: ExtractionError | None = None
    try:
        for words in drawing.words(stream):
            held.append(words)
            if sum(map(len, held)) > _SEGMENT_CHARS:
                yield Segment("\n".join(held))
                held = []
    except (MalformedFile, UnsafeArchive) as error:
        damage = error
    yield Metadata({"format": "SVG", **drawing.facts})
    if words_of_facts := caption(drawing.facts, _LABELS):
        yield words_of_facts
    if held:
        yield Segment("\n".join(held))
    if damage:
        raise damage


def _size(source: Source) -> int:
    return source.path.stat().st_size


class _Drawing:
    """Walks through one drawing and collects its facts."""

    def __init__(self) -> None:
        self.facts: dict[str, object] = {}
        self._depth = 0
        self._inside = 0  # the depth of the open element whose words are wanted as one

    def words(self, stream: IO[bytes]) -> Iterator[str]:
        """Yield runs of words in the drawing's order. Raises MalformedFile."""
        for event, element in iterate(stream, ("{*}*",)):
            name = local_name(element.tag)
            if event == "start":
                self._depth += 1
                if self._depth == 1:
                    self.facts.update(_size_facts(element.attrib))
                if label := " ".join(str(element.get("aria-label") or "").split()):
                    yield label
                if not self._inside and name in _WORDS:
                    self._inside = self._depth
                continue
            if self._inside == self._depth:
                self._inside = 0
                if (text := _text(element)) and not self._take(name, text):
                    yield text
            elif name in _RIGHTS and not self._inside and (text := _text(element)):
                self.facts.setdefault(_RIGHTS[name], text)
            self._depth -= 1
            if not self._inside and name not in ("li", "Bag", "Agent", "title") and self._depth:
                element.clear()

    def _take(self, name: str, text: str) -> bool:
        """Keep the drawing's own title and description as facts; those of its parts are words like others."""
        key = {"title": "title", "desc": "description"}.get(name)
        if key is None or key in self.facts or self._depth > 2:
            return False
        self.facts[key] = text
        return True


def _size_facts(attributes: Mapping[str, str]) -> dict[str, object]:
    facts: dict[str, object] = {}
    for key in ("width", "height"):
        if found := _LENGTH.match(str(attributes.get(key, ""))):
            pixels = float(found[1]) * _PIXELS[found[2] or ""]
            facts[key] = int(pixels) if pixels == int(pixels) else round(pixels, 2)
    if box := str(attributes.get("viewBox", "")).strip()[:100]:
        facts["view_box"] = box
        sides = re.split(r"[\s,]+", box)[2:4]
        if not {"width", "height"} & facts.keys() and all(_LENGTH.match(side) for side in sides) and len(sides) == 2:
            facts.update(width=round(float(sides[0])), height=round(float(sides[1])))
    return facts


def _text(element: _Element) -> str:
    """Return the words inside `element`. A part that is set on its own place is a word of its own."""
    parts: list[str] = []
    waiting = [(element, False)]
    while waiting:
        part, is_done = waiting.pop()
        if is_done:
            parts.append(part.tail or "")
            continue
        name = local_name(part.tag)
        if part is not element:
            if name in _BREAKS or _is_moved(part):
                parts.append(" ")
            waiting.append((part, True))
        if name and name not in _WORDLESS:
            parts.append(part.text or "")
            waiting.extend((child, False) for child in reversed(part))
    return " ".join("".join(parts).split())


def _is_moved(part: _Element) -> bool:
    return part.get("dy") is not None or (part.get("x") is not None and part.get("y") is not None)


def _unpacked(raw: IO[bytes], allowed: int) -> IO[bytes]:
    head = raw.read(2)
    raw.seek(0)
    return _Bounded(gzip.GzipFile(fileobj=raw), allowed) if head == _GZIP else raw  # type: ignore[return-value]  # lxml needs read() alone


class _Bounded:
    """A compressed stream that may not unpack to more than it is allowed."""

    def __init__(self, stream: gzip.GzipFile, allowed: int) -> None:
        self._stream = stream
        self._left = allowed

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes. Raises UnsafeArchive, MalformedFile."""
        try:
            data = self._stream.read(size if 0 < size <= 1 << 20 else 1 << 20)
        except (OSError, EOFError, zlib.error) as exc:
            raise MalformedFile from exc
        self._left -= len(data)
        if self._left < 0:
            raise UnsafeArchive
        return data

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
