"""JSON and JSON Lines as readable lines: the path of each value, then the value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.encoding import Line, decode, detect_encoding, open_text, read_lines
from files.extraction.errors import MalformedFile
from files.extraction.formats.data.json_stream import Found, JsonStream
from files.extraction.limits import Limits

SEGMENT_CHARS = 1_000
_RAW_CHARS = 4_000
_DEPTH = 100
_KEYS = 200
_WHOLE_BYTES = 4 << 20


class JsonExtractor(Extractor):
    """Reads a small document whole, a larger one value by value, a broken one as its text.

    `Limits.json_bytes` is what one value, or one line of JSON Lines, may take.
    """

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield records as runs of `path: value` lines. What cannot be parsed comes as written, with a warning."""
        if source.media_type == "application/x-ndjson":
            yield from _read_lines(source, limits)
        elif source.path.stat().st_size > min(_WHOLE_BYTES, limits.json_bytes):
            yield from _read_large(source, limits)
        else:
            yield from _read_document(source, limits)


def _read_document(source: Source, limits: Limits) -> Iterator[Piece]:
    text, encoding = decode(source.path.read_bytes())
    yield Metadata({"encoding": encoding})
    try:
        value = _parse(text)
        too_deep = _depth(value) > _DEPTH
    except (ValueError, RecursionError):
        broken, too_deep = True, False
    else:
        broken = False
    if broken and _looks_like_lines(text):
        yield from _read_lines(source, limits)
    elif broken or too_deep:
        yield from _read_raw(source)
        why = "is nested too deeply" if too_deep else "is not valid JSON"
        yield PieceWarning("malformed", f"The content {why}; it was read as plain text.")
    else:
        yield _facts(value)
        yield from _segments(_Lines(), value)


def _read_large(source: Source, limits: Limits) -> Iterator[Piece]:
    """Read a document as a stream: memory holds one value, or the part of it that is still open."""
    encoding = detect_encoding(source.path)
    yield Metadata({"encoding": encoding})
    lines, seen = _Lines(), _Seen()
    with open_text(source.path, encoding) as file:
        stream = JsonStream(file, limits.json_bytes)
        try:
            for found in stream.values():
                seen.note(found)
                if found.path and isinstance(found.path[-1], int):
                    lines.open_record(found.line)
                lines.last = found.line_end
                yield from lines.add_value(found.value, _path_of(found))
        except MalformedFile:
            seen.is_broken = True
        yield from lines.flush()
        for text in _runs(stream.rest()):
            seen.is_broken = True
            yield Segment(text, SegmentKind.CODE)
    yield Metadata(seen.facts())
    if seen.is_broken:
        yield PieceWarning("malformed", "The content is not valid JSON to its end; the rest was read as plain text.")


@dataclass(slots=True)
class _Seen:
    """What the values of a large document tell about it."""

    keys: dict[str, None] = field(default_factory=dict)
    records: int = 0
    facts_told: dict[str, object] = field(default_factory=dict)
    is_broken: bool = False

    def note(self, found: Found) -> None:
        """Take notice of a value."""
        first = found.path[0] if found.path else None
        if isinstance(first, int):
            self.records = first + 1
        if isinstance(first, str) and len(self.keys) < _KEYS:
            self.keys[first] = None
        elif len(found.path) == 1 and isinstance(found.value, dict) and len(self.keys) < _KEYS:
            self.keys.update(dict.fromkeys(list(found.value)[:_KEYS]))
        if found.path in (("title",), ("author",)) and isinstance(found.value, str):
            self.facts_told[str(first)] = found.value

    def facts(self) -> dict[str, object]:
        """Return the metadata."""
        records: dict[str, object] = {"record_count": self.records} if self.records else {}
        return {"keys": list(self.keys)[:_KEYS], **records, **self.facts_told}


def _path_of(found: Found) -> str:
    """Return the path of a value; the records of a list are set apart, not numbered, as in a small document."""
    path = found.path
    if path and isinstance(path[0], int) and (len(path) > 1 or isinstance(found.value, (dict, list))):
        path = path[1:]
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _runs(blocks: Iterator[str]) -> Iterator[str]:
    """Yield text in runs of about _RAW_CHARS, cut at a line or a word."""
    held = ""
    for block in blocks:
        held += block
        while len(held) > 2 * _RAW_CHARS:
            cut = max(held.rfind("\n", 1, _RAW_CHARS), held.rfind(" ", 1, _RAW_CHARS)) + 1 or _RAW_CHARS
            if held[:cut].strip():
                yield held[:cut]
            held = held[cut:]
    if held.strip():
        yield held


def _whole_lines(source: Source, encoding: str, limit: int) -> Iterator[Line]:
    """Yield lines that hold something, the parts of a long one put together up to `limit` characters."""
    parts: list[str] = []
    size = 0
    for line in read_lines(source.path, encoding):
        parts.append(line.text)
        size += len(line.text)
        if line.whole or size > limit:
            text = "".join(parts)
            if text.strip():
                yield Line(line.number, text, line.whole)
            parts, size = [], 0


def _read_lines(source: Source, limits: Limits) -> Iterator[Piece]:
    encoding = detect_encoding(source.path)
    yield Metadata({"encoding": encoding})
    records, bad, keys = 0, 0, dict[str, None]()
    gathered = _Lines()
    for line in _whole_lines(source, encoding, limits.json_bytes):
        try:
            value = _parse(line.text) if line.whole else line.text
        except (ValueError, RecursionError):
            value, bad = line.text, bad + 1
        records += 1
        if isinstance(value, dict) and len(keys) < _KEYS:
            keys.update(dict.fromkeys(value))
        gathered.open_record(line.number)
        yield from gathered.add_value(value, "")
    yield from gathered.flush()
    yield Metadata({"record_count": records, "keys": list(keys)})
    if bad:
        yield PieceWarning("malformed", f"{bad} of {records} lines are not valid JSON; they were read as plain text.")


def _read_raw(source: Source) -> Iterator[Piece]:
    held: list[str] = []
    size, first, last = 0, 1, 1
    for line in read_lines(source.path, detect_encoding(source.path)):
        if held and size + len(line.text) > _RAW_CHARS:
            yield Segment("\n".join(held), SegmentKind.CODE, Place(line=first, line_end=last))
            held, size, first = [], 0, line.number
        if line.text.strip():
            held.append(line.text)
            size += len(line.text)
        last = line.number
    if held:
        yield Segment("\n".join(held), SegmentKind.CODE, Place(line=first, line_end=last))


def _segments(lines: _Lines, value: Any) -> Iterator[Piece]:
    """Yield a list record by record, so that a record stays together, and anything else value by value."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            lines.open_record()
            yield from lines.add_value(item, f"[{at}]" if not isinstance(item, (dict, list)) else "")
    else:
        yield from lines.add_value(value, "")
    yield from lines.flush()


@dataclass(slots=True)
class _Lines:
    """Gathers `path: value` lines into segments of about SEGMENT_CHARS."""

    held: list[str] = field(default_factory=list)
    size: int = 0
    first: int | None = None
    last: int | None = None

    def open_record(self, line: int | None = None) -> None:
        """Set the records apart by an empty line, and note where the next one stands."""
        if self.held and self.held[-1]:
            self.held.append("")
        self.first = line if self.first is None else self.first
        self.last = line

    def add_value(self, value: Any, path: str) -> Iterator[Segment]:
        """Add every scalar under `value`; yield the segments that become full."""
        for where, scalar in _scalars(value, path):
            text = f"{where}: {scalar}" if where else scalar
            if self.held and self.size + len(text) > SEGMENT_CHARS:
                keep = self.last
                yield from self.flush()
                self.first = self.last = keep
            self.held.append(text)
            self.size += len(text) + 1

    def flush(self) -> Iterator[Segment]:
        """Yield what is held."""
        text = "\n".join(self.held).strip()
        if text:
            yield Segment(text, SegmentKind.PARAGRAPH, Place(line=self.first, line_end=self.last))
        self.held, self.size, self.first, self.last = [], 0, None, None


def _scalars(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _scalars(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        if all(not isinstance(item, (dict, list)) for item in value):
            yield path, ", ".join(map(_shown, value))
        else:
            for at, item in enumerate(value):
                yield from _scalars(item, f"{path}[{at}]")
    else:
        yield path, _shown(value)


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _parse(text: str) -> Any:
    """Return the value of a JSON text. Numbers stay as written: none is rounded, and none is slow to parse."""
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _depth(value: Any) -> int:
    level, deepest = [value], 0
    while level:
        deepest += 1
        if deepest > _DEPTH:
            break
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
    return deepest


def _looks_like_lines(text: str) -> bool:
    lines = [line for line in text[:20_000].splitlines()[:3] if line.strip()]
    return len(lines) > 1 and all(
        line.strip().startswith(("{", "[")) and line.strip()[-1] in "}]" for line in lines[:2]
    )


def _facts(value: Any) -> Metadata:
    records = value if isinstance(value, list) else [value]
    keys: dict[str, None] = {}
    for record in records[:100]:
        if isinstance(record, dict):
            keys.update(dict.fromkeys(list(record)[:_KEYS]))
    facts: dict[str, object] = {"keys": list(keys)[:_KEYS]} if keys else {}
    if isinstance(value, list):
        facts["record_count"] = len(value)
    elif isinstance(value, dict):
        for key in ("title", "author"):
            if isinstance(value.get(key), str):
                facts[key] = value[key]
    return Metadata(facts)
