"""TOML, INI, Java properties and .env files: the text as written, cut at its tables, sections and keys."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece
from files.extraction.encoding import Line, decode, detect_encoding, read_lines
from files.extraction.formats.data.structured_lines import Anchor, cut_at_keys, top_keys
from files.extraction.limits import Limits

_TOML_BYTES = 1 << 20
_TOML_DOTS = 200
_KEYS = 500
_KEY_CHARS = 200
_TABLE = re.compile(r"\s*\[\[?\s*([^\[\]]{1,400})\s*\]\]?\s*(?:#.*)?$")
_TOML_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]{1,200}|"[^"]{0,200}"|'[^']{0,200}')(?:\s*\.\s*[^\s=]{1,200})?)\s*=""")
_TOML_PART = re.compile(r"""\s*("[^"]*"|'[^']*'|[^.]+?)\s*(?:\.|$)""")
_SECTION = re.compile(r"\s*\[([^\]]{1,400})\]\s*(?:[;#].*)?$")
_INI_KEY = re.compile(r"\s*(?:export\s+)?([^\s=:;#!\[][^=:]{0,199}?)\s*[=:]")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_QUOTES = ('"""', "'''")
_TOLD = ("description", "version", "license")


class TomlExtractor(Extractor):
    """Reads the lines; a small file is parsed beside it, for its keys and to tell whether it is valid."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the text with the table that each segment stands in."""
        encoding = detect_encoding(source.path)
        yield Metadata({"encoding": encoding, **_toml_facts(source)})
        yield from _cut(source, encoding, _toml_anchors(read_lines(source.path, encoding)))


class IniExtractor(Extractor):
    """Reads sections and keys line by line; what has none of them comes as its text."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the text with the section that each segment stands in, and the names of sections and keys."""
        encoding = detect_encoding(source.path)
        sections: dict[str, None] = {}
        keys: dict[str, None] = {}
        for anchor in _ini_anchors(read_lines(source.path, encoding)):
            if len(anchor.path) == 2 and anchor.path[0] and len(sections) < _KEYS:
                sections[anchor.path[0]] = None
            if anchor.path and anchor.path[-1] and len(keys) < _KEYS:
                keys[anchor.path[-1]] = None
        names: dict[str, object] = {"sections": list(sections)} if sections else {}
        yield Metadata({"encoding": encoding, **names, "keys": list(keys)})
        yield from _cut(source, encoding, _ini_anchors(read_lines(source.path, encoding)))


def _cut(source: Source, encoding: str, anchors: Iterable[Anchor]) -> Iterator[Piece]:
    lines = 0
    read = read_lines(source.path, encoding)
    if source.name.lower().endswith(".properties"):
        read = (replace(line, text=_unescaped(line.text)) for line in read)
    for segment in cut_at_keys(read, anchors):
        lines = segment.place.line_end or lines
        yield segment
    yield Metadata({"line_count": lines})


def _unescaped(text: str) -> str:
    """Return a line of Java properties with its letters: writers of old versions put all but Latin-1 as escapes."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\\u" in text else text


def _toml_anchors(lines: Iterator[Line]) -> Iterator[Anchor]:
    """Yield tables and keys. A string of several lines is passed over, as far as its quotes tell."""
    table: tuple[str, ...] = ()
    quote = ""
    for line in lines:
        if quote:
            quote = "" if line.text.count(quote) % 2 else quote
            continue
        if (found := _TABLE.match(line.text)) and "=" not in found[1]:
            table = _parts(found[1])
            yield Anchor(line.number, table)
        elif found := _TOML_KEY.match(line.text):
            yield Anchor(line.number, (*table, *_parts(found[1])))
        quote = next((mark for mark in _QUOTES if line.text.count(mark) % 2), "")


def _parts(dotted: str) -> tuple[str, ...]:
    parts = [found[1].strip("\"'") for found in _TOML_PART.finditer(dotted[:_KEY_CHARS])]
    return tuple(part for part in parts if part.strip())


def _toml_facts(source: Source) -> dict[str, object]:
    """Return what the parsed values tell. tomllib is quadratic in dotted keys, so a file full of dots is not parsed."""
    if source.path.stat().st_size > _TOML_BYTES:
        return {}
    text, _ = decode(source.path.read_bytes())
    if any(line.count(".") > _TOML_DOTS and not line.lstrip().startswith("#") for line in text.splitlines()):
        return {"valid": False}
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return {"valid": False, "keys": top_keys(_toml_anchors(_numbered(text)))}
    return {"valid": True, "keys": list(values)[:_KEYS], **_told(values)}


def _told(values: dict[str, Any]) -> dict[str, object]:
    """Return the names that a project or a document gives itself at the top or in its first table of facts."""
    for table in (values, values.get("project"), values.get("package"), values.get("metadata")):
        if isinstance(table, dict) and isinstance(table.get("name", table.get("title")), str):
            told: dict[str, object] = {key: table[key] for key in _TOLD if isinstance(table.get(key), str)}
            return {"title": table.get("title", table.get("name")), **told}
    return {}


def _numbered(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.splitlines(), 1):
        yield Line(number, line)


def _ini_anchors(lines: Iterator[Line]) -> Iterator[Anchor]:
    """Yield sections and keys; a line that goes on with a backslash or an indent belongs to the key before it."""
    section: tuple[str, ...] = ()
    goes_on = False
    for line in lines:
        is_new, goes_on = not goes_on, line.text.endswith("\\")
        if not is_new or line.text.lstrip().startswith((";", "#", "!", "//")):
            continue
        if found := _SECTION.match(line.text):
            section = (found[1].strip(),)
            yield Anchor(line.number, (*section, ""))
        elif found := _INI_KEY.match(line.text[: 2 * _KEY_CHARS]):
            yield Anchor(line.number, (*section, found[1].strip()))
