"""BibTeX: one segment per reference, its fields as readable lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment
from files.extraction.encoding import Line, detect_encoding, read_lines
from files.extraction.formats.markup.latex_text import plain
from files.extraction.limits import Limits

_ENTRY = re.compile(r"\s*@\s*([A-Za-z]{1,40})\s*[{(]\s*([^,\s=\"{}]{0,200})\s*,?")
_FIELD = re.compile(r"\s*([A-Za-z][\w:+-]{0,60})\s*=\s*")
_ENTRY_CHARS = 50_000


class BibtexExtractor(Extractor):
    """Reads references; what stands between them is kept too."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield each entry as `field: value` lines, under its key."""
        encoding = detect_encoding(source.path)
        yield Metadata({"encoding": encoding})
        held: list[Line] = []
        size, records = 0, 0
        for line in read_lines(source.path, encoding):
            starts = _ENTRY.match(line.text)
            if held and (starts or size > _ENTRY_CHARS):
                yield from _entry(held)
                held, size = [], 0
            records += starts is not None
            held.append(line)
            size += len(line.text) + 1
        yield from _entry(held)
        yield Metadata({"record_count": records})


def _entry(lines: list[Line]) -> Iterator[Piece]:
    text = "".join(line.text + "\n" if line.whole else line.text for line in lines)
    if not text.strip():
        return
    place = Place(line=lines[0].number, line_end=lines[-1].number)
    found = _ENTRY.match(text)
    kind = found[1].lower() if found else ""
    if not found or kind in ("comment", "preamble", "string"):
        yield Segment(text.strip("\n"), place=place)
        return
    rows = [
        f"{found[2]} ({kind})",
        *(f"{name.lower()}: {value}" for name, value in _fields(text, found.end()) if value),
    ]
    yield Segment("\n".join(rows), place=place)


def _fields(text: str, at: int) -> Iterator[tuple[str, str]]:
    """Yield names and values from left to right; what is no field comes under `note`."""
    while at < len(text):
        if found := _FIELD.match(text, at):
            value, at = _value(text, found.end())
            yield found[1], " ".join(plain(value).split())
            continue
        end = text.find(",", at)
        end = len(text) if end < 0 else end
        yield "note", text[at:end].strip(" \n\t,})")
        at = end + 1


def _value(text: str, at: int) -> tuple[str, int]:
    """Return the value that starts at `at`, its parts joined, and where it ends: at a comma outside of all braces."""
    depth, quoted, start = 0, False, at
    while at < len(text):
        char = text[at]
        if char == '"' and depth == 0:
            quoted = not quoted
        elif char in "{}" and text[at - 1 : at] != "\\":
            depth += 1 if char == "{" else -1
        if depth < 0 or (char == "," and depth == 0 and not quoted):
            break
        at += 1
    value = text[start:at].strip()
    if len(value) > 1 and (value[0], value[-1]) in (("{", "}"), ('"', '"')):
        value = value[1:-1]
    return value, at + 1
