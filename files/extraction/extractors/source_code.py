"""Source code, cut at its definitions: verbatim, each passage with its lines and the names around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.encoding import detect_encoding, read_lines
from files.extraction.formats.code.code_definitions import FUNCTION, TYPE, Definition, passages
from files.extraction.formats.code.code_imports import BY_CALL, imported_names
from files.extraction.formats.code.code_scanner import scan
from files.extraction.formats.code.grammars import Parsed, parse
from files.extraction.limits import Limits
from files.extraction.media_types import label_of

_WHOLE_BYTES = 8 << 20  # a larger file is read as it streams by, without a look at its definitions
_RUN_CHARS = 8_000
_NAMES = 2_000

_STRING = re.compile(r"""\s*[rRuUbB]{0,2}(?:\"{3}|'{3})(.{1,4000}?)(?:\"{3}|'{3})""", re.S)
_COMMENT_MARKS = re.compile(r"^\s*(?:/\*+!?|\*+/|\*|//+!?|#+!?|--+|;+|%+|\(\*|<!--|rem\b|::)?\s?", re.I)
_COMMENT = re.compile(r"\s*(?:/\*|\*|//|#(?!\s*(?:include|define|if|pragma|import)\b)|--|;|%|\(\*|<!--|rem\b|::)", re.I)
_LEGAL = re.compile(r"copyright|licen[sc]e|spdx|all rights reserved|\(c\)", re.I)
_PASSED_OVER = re.compile(
    r"#!|.*-\*-|\s*<\?(?:php)?\s*$|\s*(?:['\"]use strict|#\s*pragma|//\s*@ts-|#\s*(?:type|ruff|noqa))"
)


class SourceCodeExtractor(Extractor):
    """Reads any programming language: with its grammar where there is one, else by the look of its lines."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield passages that together hold every line; functions, classes and imports as metadata."""
        encoding = detect_encoding(source.path)
        language = label_of(source.media_type).removesuffix(" source")
        yield Metadata({"encoding": encoding, "language": language})
        if source.path.stat().st_size > _WHOLE_BYTES:
            yield from _streamed(source, encoding)
            return
        lines = _lines(source, encoding)
        text = "\n".join(lines)
        parsed = parse(source.media_type, source.name, text)
        definitions = parsed.definitions if parsed else scan(source.media_type, lines)
        yield Metadata({"line_count": len(lines), **_facts(source.media_type, text, lines, definitions, parsed)})
        for passage in passages(lines, definitions):
            if segment := _segment(lines, passage.first, passage.last, passage.path):
                yield segment


def _lines(source: Source, encoding: str) -> list[str]:
    lines: list[str] = []
    continued = False
    for line in read_lines(source.path, encoding):
        if continued:
            lines[-1] += line.text
        else:
            lines.append(line.text)
        continued = not line.whole
    return lines


def _streamed(source: Source, encoding: str) -> Iterator[Piece]:
    held: list[str] = []
    size, first, number = 0, 1, 0
    for line in read_lines(source.path, encoding):
        if held and (size > _RUN_CHARS or (not line.text.strip() and size > _RUN_CHARS // 2)):
            if segment := _segment(held, 1, len(held), (), first):
                yield segment
            held, size, first = [], 0, line.number
        held.append(line.text)
        size += len(line.text) + 1
        number = line.number
    if held and (segment := _segment(held, 1, len(held), (), first)):
        yield segment
    yield Metadata({"line_count": number})


def _segment(lines: Sequence[str], first: int, last: int, path: tuple[str, ...], base: int = 1) -> Segment | None:
    """Return lines `first` to `last` without the empty ones around them; None when all are empty."""
    while first <= last and not lines[first - 1].strip():
        first += 1
    while first <= last and not lines[last - 1].strip():
        last -= 1
    if first > last:
        return None
    place = Place(line=first + base - 1, line_end=last + base - 1, headings=path)
    return Segment("\n".join(lines[first - 1 : last]), SegmentKind.CODE, place)


def _facts(
    media_type: str, text: str, lines: Sequence[str], definitions: Sequence[Definition], parsed: Parsed | None
) -> dict[str, object]:
    named = list(definitions)
    if parsed and not parsed.sound:  # what the grammar could not read, the look of the lines may tell
        named += scan(media_type, lines)
    imports = dict(parsed.imports) if parsed else {}
    if not imports or media_type in BY_CALL:
        imports.update(dict.fromkeys(imported_names(media_type, text)))
    facts: dict[str, object] = {
        "functions": list(dict.fromkeys(found.name for found in named if found.kind == FUNCTION))[:_NAMES],
        "classes": list(dict.fromkeys(found.name for found in named if found.kind == TYPE))[:_NAMES],
        "imports": list(imports)[:_NAMES],
        "description": _description(text, lines),
    }
    return {key: value for key, value in facts.items() if value}


def _description(text: str, lines: Sequence[str]) -> str:
    """Return what the file says about itself at its top: a docstring, or a comment that is not its licence."""
    opening = _opening(text[:12_000])
    if found := _STRING.match(opening):
        return found[1].strip()
    block: list[str] = []
    for line in opening.split("\n")[:60]:
        if _COMMENT.match(line[:200]):
            block.append(_COMMENT_MARKS.sub("", line, count=1).removesuffix("*/").removesuffix("-->").strip())
            continue
        if block and not _LEGAL.search(" ".join(block)):
            break
        block = []
        if line.strip():
            return ""
    said = "\n".join(block).strip()
    return said if said and not _LEGAL.search(said) else ""


def _opening(text: str) -> str:
    lines = text.split("\n")
    at = next((at for at, line in enumerate(lines) if line.strip() and not _PASSED_OVER.match(line[:200])), 0)
    return "\n".join(lines[at:])
