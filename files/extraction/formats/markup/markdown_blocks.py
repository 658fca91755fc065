"""Markdown line by line: headings, paragraphs, tables and code as blocks, each at its place.

For Markdown files, and for the Markdown cells of notebooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.encoding import Line
from files.extraction.formats.markup.front_matter import TOML_MARK, YAML_MARK, facts_of
from files.extraction.headings import HeadingPath

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING = re.compile(r"(?:^|[ \t])#+$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*--[ \t:|-]*$")
_RULE_CHARS = 1_000
_ANCHOR = re.compile(r"[ \t]*\{[#.:][^{}\n]{0,200}\}$")
_FRONT_MATTER_LINES = 500
_BLOCK_CHARS = 20_000
_HEADING_LINES = 3


@dataclass(slots=True)
class MarkdownBlocks:
    """Puts lines together to blocks. With `may_have_facts`, a front matter at the top is metadata and no text."""

    may_have_facts: bool = True
    lines: list[Line] = field(default_factory=list)
    headings: HeadingPath = field(default_factory=HeadingPath)
    facts: dict[str, object] = field(default_factory=dict)
    size: int = 0
    fence: str = ""
    front_matter: str = ""

    def take(self, line: Line) -> Iterator[Piece]:
        """Take one line; yield what it completes."""
        if line.number == 1 and self.may_have_facts and line.text.rstrip() in (YAML_MARK, TOML_MARK):
            self.front_matter = line.text.rstrip()
            self._add(line)
        elif self.front_matter:
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
        if self.front_matter:
            yield from self._front_matter_that_is_none()
        yield from self._flush()

    def _take_prose(self, line: Line) -> Iterator[Piece]:
        if heading := _ATX.match(line.text):
            yield from self._flush()
            text = (
                _CLOSING.sub("", (heading[2] or "").rstrip()) if line.text.rstrip().endswith("#") else heading[2] or ""
            )
            yield from self._heading(len(heading[1]), text, line.number, line.number)
        elif self._is_underlined(line.text):
            above, self.lines, self.size = self.lines, [], 0
            text = " ".join(held.text.strip() for held in above)
            yield from self._heading(1 if "=" in line.text else 2, text, above[0].number, line.number)
        elif not line.text.strip():
            yield from self._flush()
        else:
            self._add(line)
            if self.size > _BLOCK_CHARS:
                yield from self._flush()

    def _is_underlined(self, text: str) -> bool:
        """Tell the line below a heading of one to three lines; a rule, a list or a table above it is no heading."""
        if (
            not 1 <= len(self.lines) <= _HEADING_LINES
            or self.size > _RULE_CHARS
            or not _UNDERLINE.match(text[:_RULE_CHARS])
        ):
            return False
        first = self.lines[0].text.strip()
        return (
            bool(first)
            and not first.startswith(("|", ">", "- ", "* ", "+ ", "<"))
            and not _UNDERLINE.match(first[:200])
        )

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
        if line.text.rstrip() == self.front_matter or (self.front_matter == YAML_MARK and line.text.rstrip() == "..."):
            found = facts_of("\n".join(held.text for held in self.lines[1:]), self.front_matter)
            if found is None:
                self._add(line)
                yield from self._front_matter_that_is_none()
                return
            self.facts, self.front_matter = found, ""
            self.lines, self.size = [], 0
            yield Metadata(self.facts)
        else:
            self._add(line)
            if len(self.lines) > _FRONT_MATTER_LINES:
                yield from self._front_matter_that_is_none()

    def _front_matter_that_is_none(self) -> Iterator[Piece]:
        """The first line was a rule, not the start of a front matter: read the lines again as text."""
        self.front_matter, self.may_have_facts = "", False
        waiting, self.lines, self.size = self.lines, [], 0
        for line in waiting:
            yield from self.take(line)

    def _heading(self, level: int, text: str, first: int, last: int) -> Iterator[Piece]:
        shown = text.strip()
        if not shown:
            return
        named = _ANCHOR.sub("", shown[-200:]) if shown.endswith("}") else shown[-200:]
        above = self.headings.enter(level, (shown[:-200] + named).strip() or shown)
        yield Segment(f"{'#' * level} {shown}", SegmentKind.HEADING, Place(line=first, line_end=last, headings=above))

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        self.size += len(line.text)

    def _flush(self) -> Iterator[Piece]:
        lines, self.lines, self.size = self.lines, [], 0
        kind = SegmentKind.PARAGRAPH
        if self.fence:
            kind, self.fence = SegmentKind.CODE, ""
        elif len(lines) > 1 and "|" in lines[0].text and _TABLE_RULE.match(lines[1].text[:_RULE_CHARS]):
            kind = SegmentKind.TABLE
        if any(line.text.strip() for line in lines):
            text = "".join(line.text + "\n" if line.whole else line.text for line in lines)
            place = Place(line=lines[0].number, line_end=lines[-1].number, headings=self.headings.path)
            yield Segment(text.rstrip(), kind, place)
