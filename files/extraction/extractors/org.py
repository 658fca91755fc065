"""Org text line by line: headings with their state and tags, properties, source blocks, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, SegmentKind
from files.extraction.encoding import Line
from files.extraction.formats.markup.markup_blocks import MarkupBlocks, read_line_by_line
from files.extraction.limits import Limits

_HEADING = re.compile(r"(\*{1,20})[ \t]+(.*\S)[ \t]*$")
_TAGS = re.compile(r"[ \t]+(:(?:[\w@#%]+:)+)$")
_KEYWORD = re.compile(r"[ \t]*#\+(\w{1,40}):[ \t]*(.*)$")
_BEGIN = re.compile(r"[ \t]*#\+begin_(\w{1,40})", re.I)
_END = re.compile(r"[ \t]*#\+end_(\w{1,40})", re.I)
_DRAWER = re.compile(r"[ \t]*:([\w-]{1,60}):[ \t]*$")
_PROPERTY = re.compile(r"[ \t]*:([\w+-]{1,60}):[ \t]+(.*\S)[ \t]*$")
_LINK = re.compile(r"\[\[([^\[\]\n]{1,1000})\](?:\[([^\[\]\n]{1,500})\])?\]")
_STANDARD = {"date": "created", "filetags": "keywords", "startup": "", "options": ""}
_CODE = frozenset(("src", "example", "export"))
_DONE_STATES = re.compile(r"(?:TODO|DONE|NEXT|WAITING|CANCELLED|STARTED|HOLD)\b")


class OrgExtractor(Extractor):
    """Yields headings, paragraphs, source blocks and tables with their lines."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield the text of `source`. Memory does not grow with the file."""
        yield from read_line_by_line(source.path, _Reader())


@dataclass(slots=True)
class _Reader:
    """Takes line after line. `until` names the block that is read as it stands."""

    blocks: MarkupBlocks = field(default_factory=lambda: MarkupBlocks(_shown))
    facts: dict[str, object] = field(default_factory=dict)
    tags: dict[str, None] = field(default_factory=dict)
    tasks: int = 0
    until: str = ""
    in_table: bool = False
    number: int = 0

    def take(self, line: Line) -> Iterator[Piece]:
        """Take one line; yield what it completes."""
        self.number = line.number
        text = line.text
        if self.until:
            closing = _END.match(text)
            if closing and closing[1].lower() == self.until:
                self.until = ""
                yield from self.blocks.flush(SegmentKind.CODE)
            else:
                yield from self.blocks.hold(line, SegmentKind.CODE)
            return
        is_row = text.lstrip().startswith("|")
        if self.in_table and not is_row:
            yield from self._table()
        if is_row:
            if not self.in_table:
                yield from self.blocks.flush()
            self.in_table = True
            yield from self.blocks.hold(line, SegmentKind.TABLE)
        else:
            yield from self._take_text(line)

    def end(self) -> Iterator[Piece]:
        """Yield what is left."""
        if self.in_table:
            yield from self._table()
        yield from self.blocks.flush(SegmentKind.CODE if self.until else SegmentKind.PARAGRAPH)
        if self.tags:
            self.facts.setdefault("keywords", ", ".join(list(self.tags)[:200]))
        if self.tasks:
            self.facts["task_count"] = self.tasks
        if self.blocks.headings.title:
            self.facts.setdefault("title", self.blocks.headings.title)
        yield Metadata({**self.facts, "line_count": self.number})

    def _take_text(self, line: Line) -> Iterator[Piece]:
        text = line.text
        if not text.strip():
            yield from self.blocks.flush()
        elif heading := _HEADING.match(text):
            yield from self.blocks.flush()
            yield from self._heading(heading, line.number)
        elif text.lstrip().startswith("#"):
            yield from self._special(line)
        elif _DRAWER.match(text):
            yield from self.blocks.flush()
        elif found := _PROPERTY.match(text):
            yield from self.blocks.add(Line(line.number, f"{found[1]}: {found[2]}"))
        else:
            yield from self.blocks.add(line)

    def _heading(self, heading: re.Match[str], number: int) -> Iterator[Piece]:
        title = heading[2]
        if found := _TAGS.search(title[-400:]):
            self.tags.update(dict.fromkeys(found[1].strip(":").split(":")))
        self.tasks += _DONE_STATES.match(title) is not None
        yield from self.blocks.heading(len(heading[1]), title, number, number)

    def _special(self, line: Line) -> Iterator[Piece]:
        """A keyword, the border of a block, or a comment."""
        if begin := _BEGIN.match(line.text):
            yield from self.blocks.flush()
            self.until = begin[1].lower() if begin[1].lower() in _CODE else ""
        elif _END.match(line.text):
            yield from self.blocks.flush()
        elif found := _KEYWORD.match(line.text[:4_000]):
            name, value = found[1].lower(), found[2].strip()
            if name in ("caption", "name", "title") and value:
                yield from self.blocks.segment(value, SegmentKind.CAPTION, line.number, line.number)
            name = _STANDARD.get(name, name)
            if (
                name in ("title", "author", "created", "keywords", "description", "language", "email", "subtitle")
                and value
            ):
                self.facts.setdefault(name, value.strip(":").replace(":", ", ") if name == "keywords" else value)
        elif not line.text.lstrip().startswith(("# ", "#+")) and line.text.strip() != "#":
            yield from self.blocks.add(line)

    def _table(self) -> Iterator[Piece]:
        self.in_table = False
        lines = self.blocks.take()
        rows: list[list[str]] = []
        headed: bool | None = None
        for line in lines:
            text = line.text.strip()
            if text.startswith("|-"):
                headed = headed or (len(rows) == 1 or None)
            else:
                rows.append([cell.strip() for cell in text.strip("|").split("|")])
        if lines:
            yield from self.blocks.table(rows, lines[0].number, lines[-1].number, headed=headed)


def _shown(text: str) -> str:
    if "[[" not in text:
        return text
    return _LINK.sub(lambda found: f"[{found[2]}]({found[1]})" if found[2] else found[1], text)
