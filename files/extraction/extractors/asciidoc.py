"""AsciiDoc line by line: headings, listings, tables, admonitions. Nothing that it names is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, SegmentKind
from files.extraction.encoding import Line
from files.extraction.formats.markup.markup_blocks import MarkupBlocks, read_line_by_line
from files.extraction.limits import Limits

_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(.*\S)[ \t]*$")
_ATTRIBUTE = re.compile(r":!?([A-Za-z_][\w-]{0,60})!?:(?:[ \t]+(.*))?$")
_MACRO = re.compile(r"(include|image|video|audio|toc)::([^\[\n]{0,500})\[([^\]\n]{0,500})\]\s*$")
_SETTINGS = re.compile(r"\[[^\]\n]{0,500}\]\s*$|\[\[[^\]\n]{0,200}\]\]\s*$")
_CAPTION = re.compile(r"\.([^\s.].*)$")
_AUTHOR = re.compile(r"[^\W\d_][\w.' -]{1,80}(?:<[^<>\s]{3,100}>)?(?:;[\w.' <>@-]{1,200})?$")
_REVISION = re.compile(r"v?[\d.]{1,20},?[ \t]*(\d{4}-\d\d-\d\d)?")
_LINK = re.compile(r"(?:link:)?((?:https?|ftp|mailto)://?[^\s\[\]<>]{1,1000})\[([^\]\n]{1,300})\]")
_LOCAL_LINK = re.compile(r"(?:link|xref|image|kbd|btn|footnote):([^\s\[\]]{0,300})\[([^\]\n]{0,500})\]")
_CROSS = re.compile(r"<<([^<>,\n]{1,200})(?:,([^<>\n]{1,300}))?>>")
_VERBATIM = ("----", "....", "++++", "```")
_FRAMES = ("====", "****", "____", "--")
_STANDARD = {"revdate": "created", "date": "created", "lang": "language"}
_KEPT = frozenset(("author", "email", "description", "keywords", "version", "subject", "title", "revnumber", "doctype"))


class AsciidocExtractor(Extractor):
    """Yields headings, paragraphs, listings and tables with their lines."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield the text of `source`. Memory does not grow with the file."""
        yield from read_line_by_line(source.path, _Reader())


@dataclass(slots=True)
class _Reader:
    """Takes line after line. `until` is the delimiter that closes the block of `kind` which is open."""

    blocks: MarkupBlocks = field(default_factory=lambda: MarkupBlocks(_shown))
    facts: dict[str, object] = field(default_factory=dict)
    includes: dict[str, None] = field(default_factory=dict)
    until: str = ""
    kind: str = ""
    headed: bool = False
    in_header: bool = False
    number: int = 0

    def take(self, line: Line) -> Iterator[Piece]:
        """Take one line; yield what it completes."""
        self.number = line.number
        text = line.text.rstrip()
        if self.until:
            if text == self.until or (self.until == "```" and text.startswith("```")):
                yield from self._close()
            elif self.kind != "comment":
                yield from self.blocks.hold(line, SegmentKind.CODE if self.kind == "code" else SegmentKind.TABLE)
        elif self._opens(text):
            yield from self.blocks.flush()
        elif not text:
            self.in_header = False
            yield from self.blocks.flush()
        else:
            yield from self._take_text(line, text)

    def end(self) -> Iterator[Piece]:
        """Yield what is left."""
        yield from self._close()
        if self.includes:
            self.facts["includes"] = list(self.includes)[:500]
        if self.blocks.headings.title:
            self.facts.setdefault("title", self.blocks.headings.title)
        yield Metadata({**self.facts, "line_count": self.number})

    def _opens(self, text: str) -> bool:
        """Open a delimited block; frames around ordinary text are passed over."""
        if len(text) >= 4 and text.startswith("////") and not text.strip("/"):
            self.until, self.kind = text, "comment"
        elif text.startswith(_VERBATIM) and (text.startswith("```") or not text.strip(text[0])):
            if len(self.blocks.lines) == 1 and text[0] == "-":
                return False  # the underline of an old heading
            self.until, self.kind = "```" if text.startswith("```") else text, "code"
        elif text in ("|===", ",===", ":===", "!==="):
            self.until, self.kind = text, "table"
        else:
            return text == "--" or (text.startswith(_FRAMES[:3]) and len(text) >= 4 and not text.strip(text[0]))
        return True

    def _close(self) -> Iterator[Piece]:
        kind, mark, self.kind, self.until = self.kind, self.until[:1], "", ""
        if kind == "table":
            lines = self.blocks.take()
            if lines:
                rows = _rows([line.text for line in lines], mark)
                headed = self.headed or (len(lines) > 1 and not lines[1].text.strip()) or None
                yield from self.blocks.table(rows, lines[0].number, lines[-1].number, headed=headed)
            self.headed = False
        else:
            yield from self.blocks.flush(SegmentKind.CODE if kind == "code" else SegmentKind.PARAGRAPH)

    def _take_text(self, line: Line, text: str) -> Iterator[Piece]:
        first = not self.blocks.lines
        if text.startswith("//"):
            return
        if first and (heading := _HEADING.match(text)):
            self.in_header = len(heading[1]) == 1
            yield from self.blocks.heading(len(heading[1]), heading[2], line.number, line.number)
        elif (attribute := _ATTRIBUTE.match(text[:4_000])) and first:
            self._fact(attribute[1].lower(), (attribute[2] or "").strip())
        elif self.in_header and self._is_byline(text):
            pass
        elif first and (macro := _MACRO.match(text)):
            self.includes.update({macro[2]: None} if macro[2] else {})
            yield from self.blocks.segment(macro[3].partition(",")[0], SegmentKind.CAPTION, line.number, line.number)
        elif first and _SETTINGS.match(text):
            self.headed = "header" in text
        elif first and (caption := _CAPTION.match(text)):
            yield from self.blocks.segment(caption[1], SegmentKind.CAPTION, line.number, line.number)
        else:
            yield from self._take_prose(line, text)

    def _take_prose(self, line: Line, text: str) -> Iterator[Piece]:
        held = self.blocks.lines
        underlined = len(held) == 1 and len(text) > 3 and text[0] in "=-~^+" and not text.strip(text[0])
        if underlined and abs(len(held[0].text.rstrip()) - len(text)) <= 2:
            above = self.blocks.take()[0]
            yield from self.blocks.heading("=-~^+".index(text[0]) + 1, above.text, above.number, line.number)
            return
        yield from self.blocks.add(line)

    def _fact(self, name: str, value: str) -> None:
        name = _STANDARD.get(name, name)
        if value and (name in _KEPT or name in _STANDARD.values()):
            self.facts.setdefault(name, value)

    def _is_byline(self, text: str) -> bool:
        """Take the lines below the title: who wrote it, then when."""
        if "author" not in self.facts and _AUTHOR.match(text):
            self.facts["author"] = text.partition("<")[0].strip()
            return True
        if revision := _REVISION.match(text):
            self.facts.update({"created": revision[1]} if revision[1] else {"version": text[:100]})
            return True
        return False


def _rows(lines: list[str], mark: str) -> list[list[str]]:
    """Return the rows of a table: cells start with a bar; a first line with several bars says how many make a row."""
    if mark != "|":
        return [[cell.strip() for cell in line.split(mark if mark in ",:" else "|")] for line in lines if line.strip()]
    cells: list[str] = []
    width = 0
    for line in lines:
        found = re.split(r"(?:(?<=^)|(?<=\s))(?:\d{0,3}(?:\.\d{1,3})?[+*])?[<^>.]{0,4}[aehlmsdv]?\|", line)
        if len(found) == 1 and cells:
            cells[-1] = f"{cells[-1]} {line.strip()}".strip()
            continue
        width = width or len(found) - 1
        cells += [cell.strip() for cell in (found[1:] if len(found) > 1 else found)]
    width = max(width, 1)
    return [cells[at : at + width] for at in range(0, len(cells), width)]


def _shown(text: str) -> str:
    if "[" in text:
        text = _LINK.sub(r"[\2](\1)", text)
        text = _LOCAL_LINK.sub(lambda found: found[2] or found[1], text)
    if "<<" in text:
        text = _CROSS.sub(lambda found: (found[2] or found[1]).strip(), text)
    return text
