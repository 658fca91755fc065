"""Markdown as it stands: headings give the path, fences give code, the front matter gives the facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.encoding import Line, detect_encoding, read_lines
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*--[ \t:|-]*$")
_FACT = re.compile(r"([A-Za-z_][\w -]{0,60}):[ \t]*(.*)$")
_FRONT_MATTER_LINES = 200
_BLOCK_CHARS = 20_000


class MarkdownExtractor(Extractor):
    """Yields one segment per heading, paragraph, table or code block, with its lines and its heading path."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield the blocks of `source` as written. Memory does not grow with the file."""
        encoding = detect_encoding(source.path)
        yield Metadata({"encoding": encoding})
        reader = _Blocks()
        for line in read_lines(source.path, encoding):
            yield from reader.take(line)
        yield from reader.end()
        if reader.headings.title and "title" not in reader.facts:
            yield Metadata({"title": reader.headings.title})


@dataclass(slots=True)
class _Blocks:
    """Puts lines together to blocks."""

    lines: list[Line] = field(default_factory=list)
    headings: HeadingPath = field(default_factory=HeadingPath)
    facts: dict[str, object] = field(default_factory=dict)
    size: int = 0
    fence: str = ""
    in_front_matter: bool = False

    def take(self, line: Line) -> Iterator[Piece]:
        """Take one line; yield what it completes."""
        if line.number == 1 and line.text.rstrip() == "---":
            self.in_front_matter = True
        elif self.in_front_matter:
            yield from self._take_front_matter(line)
        elif self.fence:
            yield from self._take_code(line)
        elif fence := _FENCE.match(line.text):
            yield from self._flush()
            self.fence = fence[1]
            self._add(line)
        else:
            yield from self._take_prose(line)

    def end(self) -> Iterator[Piece]:
        """Yield what is left."""
        if self.in_front_matter:
            yield from self._front_matter_that_is_none()
        yield from self._flush()

    def _take_prose(self, line: Line) -> Iterator[Piece]:
        if heading := _ATX.match(line.text):
            yield from self._flush()
            yield from self._heading(len(heading[1]), heading[2] or "", line.number, line.number)
        elif len(self.lines) == 1 and self.lines[0].text.strip() and (rule := _UNDERLINE.match(line.text)):
            above = self.lines.pop()
            self.size = 0
            yield from self._heading(1 if rule[1][0] == "=" else 2, above.text.strip(), above.number, line.number)
        elif not line.text.strip():
            yield from self._flush()
        else:
            self._add(line)
            if self.size > _BLOCK_CHARS:
                yield from self._flush()

    def _take_code(self, line: Line) -> Iterator[Piece]:
        self._add(line)
        closes = line.text.strip()
        if closes.startswith(self.fence) and not closes.strip(self.fence[0]):
            yield from self._flush()
        elif self.size > _BLOCK_CHARS:
            fence = self.fence
            yield from self._flush()
            self.fence = fence

    def _take_front_matter(self, line: Line) -> Iterator[Piece]:
        if line.text.rstrip() in ("---", "..."):
            self.in_front_matter = False
            self.facts = _facts(self.lines)
            self.lines, self.size = [], 0
            yield Metadata(self.facts)
        else:
            self._add(line)
            if len(self.lines) > _FRONT_MATTER_LINES:
                yield from self._front_matter_that_is_none()

    def _front_matter_that_is_none(self) -> Iterator[Piece]:
        """The first line was a rule, not the start of a front matter: read the lines again as text."""
        self.in_front_matter = False
        waiting, self.lines, self.size = self.lines, [], 0
        for line in waiting:
            yield from self.take(line)

    def _heading(self, level: int, text: str, first: int, last: int) -> Iterator[Piece]:
        if not text.strip():
            return
        above = self.headings.enter(level, text.strip())
        yield Segment(f"{'#' * level} {text}", SegmentKind.HEADING, Place(line=first, line_end=last, headings=above))

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        self.size += len(line.text)

    def _flush(self) -> Iterator[Piece]:
        lines, self.lines, self.size = self.lines, [], 0
        kind = SegmentKind.PARAGRAPH
        if self.fence:
            kind, self.fence = SegmentKind.CODE, ""
        elif len(lines) > 1 and "|" in lines[0].text and _TABLE_RULE.match(lines[1].text):
            kind = SegmentKind.TABLE
        if any(line.text.strip() for line in lines):
            text = "".join(line.text + "\n" if line.whole else line.text for line in lines)
            place = Place(line=lines[0].number, line_end=lines[-1].number, headings=self.headings.path)
            yield Segment(text.rstrip(), kind, place)


def _facts(lines: list[Line]) -> dict[str, object]:
    """Return the plain `key: value` lines of a front matter; lists and nested values come as their text."""
    facts: dict[str, object] = {}
    key = ""
    for line in lines:
        if found := _FACT.match(line.text):
            key = found[1].strip().lower().replace(" ", "_")
            facts[key] = found[2].strip().strip("\"'")
        elif key and line.text.strip():
            more = line.text.strip().removeprefix("- ").strip("\"'")
            facts[key] = f"{facts[key]}, {more}" if facts[key] else more
    return facts
