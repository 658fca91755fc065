"""reStructuredText line by line: headings, directives, literal blocks, tables. Nothing that it names is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, SegmentKind
from files.extraction.encoding import Line
from files.extraction.formats.markup.markup_blocks import MarkupBlocks, read_line_by_line
from files.extraction.formats.markup.rst_tables import grid_rows, is_grid_rule, is_simple_rule, simple_rows
from files.extraction.limits import Limits

_MARKS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_DIRECTIVE = re.compile(r"(\s*)\.\.[ \t]+(?:\|[^|\n]{1,100}\|[ \t]+)?([A-Za-z][\w:.+-]{0,80})::[ \t]*(.*)$")
_FOOTNOTE = re.compile(r"\s*\.\.[ \t]+\[([^\]\n]{1,80})\][ \t]+(.*)$")
_TARGET = re.compile(r"\s*(?:\.\.[ \t]+_|__[ \t])")
_OPTION = re.compile(r"\s*:([\w][\w. -]{0,60}):(?:[ \t]+(.*))?$")
_LINK = re.compile(r"`([^`<>\n]{1,300})<([^<>`\n]{1,1000})>`__?")
_ROLE = re.compile(r":[\w+.:-]{1,60}:`([^`\n]{1,500})`")
_REFERENCE = re.compile(r"`([^`\n]{1,300})`__?(?!\w)")
_CODE = frozenset(
    ("code", "code-block", "sourcecode", "literalinclude", "parsed-literal", "prompt", "doctest", "testcode", "ipython",
     "highlight", "math", "graphviz", "mermaid", "raw")
)  # fmt: skip
_OPENS_FILES = frozenset(("include", "literalinclude", "image", "figure", "csv-table", "automodule"))
_STANDARD = {"authors": "author", "date": "created", "abstract": "description", "tags": "keywords"}


class RstExtractor(Extractor):
    """Yields headings, paragraphs, code and tables with their lines."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield the text of `source`. Memory does not grow with the file."""
        yield from read_line_by_line(source.path, _Reader())


@dataclass(slots=True)
class _Reader:
    """Takes line after line. `mode` says what the gathered lines are: a paragraph, code, a table, a comment."""

    blocks: MarkupBlocks = field(default_factory=lambda: MarkupBlocks(_shown))
    facts: dict[str, object] = field(default_factory=dict)
    includes: dict[str, None] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    mode: str = ""
    indent: int = 0
    after_directive: bool = False
    in_fields: bool = False
    number: int = 0

    def take(self, line: Line) -> Iterator[Piece]:
        """Take one line; yield what it completes."""
        self.number = line.number
        text = line.text
        if self.mode in ("code", "comment"):
            if not text.strip() or _indent(text) > self.indent:
                if self.mode == "code":
                    yield from self.blocks.hold(line, SegmentKind.CODE)
                return
            yield from self._flush()
        if self.mode == "table":
            if text.strip():
                yield from self.blocks.hold(line, SegmentKind.TABLE)
                return
            if self._goes_on():
                return
            yield from self._flush()
        if not text.strip():
            yield from self._paragraph_ends()
        else:
            yield from self._take_text(line)

    def end(self) -> Iterator[Piece]:
        """Yield what is left."""
        yield from self._flush()
        if self.includes:
            self.facts["includes"] = list(self.includes)[:500]
        if self.blocks.headings.title:
            self.facts.setdefault("title", self.blocks.headings.title)
        yield Metadata({**self.facts, "line_count": self.number})

    def _take_text(self, line: Line) -> Iterator[Piece]:
        text, held = line.text, self.blocks.lines
        if _is_adornment(text) and (len(held) in (1, 2)) and self._is_heading(text):
            yield from self._heading(line)
        elif not held and (is_grid_rule(text) or is_simple_rule(text)):
            self.mode = "table"
            yield from self.blocks.hold(line, SegmentKind.TABLE)
        elif (not held and text.lstrip().startswith((".. ", "__ "))) or text.strip() == "..":
            yield from self._explicit(line)
        elif (option := _OPTION.match(text[:4_000])) and (self.after_directive or self.in_fields or not held):
            yield from self._option(option, line)
        else:
            self.after_directive = self.in_fields = False
            yield from self.blocks.add(line)

    def _option(self, option: re.Match[str], line: Line) -> Iterator[Piece]:
        """A field: of a directive, a setting; at the top of the file, a fact; anywhere else, text."""
        name, value = option[1].strip().lower(), (option[2] or "").strip()
        if self.after_directive:
            if name in ("alt", "caption", "name") and value:
                yield from self.blocks.add(Line(line.number, value))
            return
        if len(self.blocks.headings.path) <= 1 and value:
            self.facts.setdefault(_STANDARD.get(name, name.replace(" ", "_")), value)
        self.in_fields = True
        yield from self.blocks.add(Line(line.number, f"{option[1]}: {value}"))

    def _explicit(self, line: Line) -> Iterator[Piece]:
        yield from self._flush()
        if directive := _DIRECTIVE.match(line.text[:8_000]):
            name, rest = directive[2].lower(), directive[3].strip()
            if name in _OPENS_FILES and rest:
                self.includes[rest[:300]] = None
                rest = ""
            if name in _CODE:
                self.mode, self.indent = "code", len(directive[1])
                return
            self.after_directive = True
            label = name.capitalize() + ": " if name in ("note", "warning", "tip", "important", "caution") else ""
            if rest or label:
                yield from self.blocks.add(Line(line.number, label + rest))
        elif note := _FOOTNOTE.match(line.text[:8_000]):
            yield from self.blocks.add(Line(line.number, f"[{note[1]}] {note[2]}"))
        elif not _TARGET.match(line.text):
            self.mode, self.indent = "comment", _indent(line.text)

    def _paragraph_ends(self) -> Iterator[Piece]:
        opens_code = bool(self.blocks.lines) and self.blocks.lines[-1].text.rstrip().endswith("::")
        indent = _indent(self.blocks.lines[-1].text) if opens_code else 0
        self.after_directive = self.in_fields = False
        yield from self.blocks.flush()
        if opens_code:
            self.mode, self.indent = "code", indent

    def _flush(self) -> Iterator[Piece]:
        mode, self.mode = self.mode, ""
        if mode == "table":
            lines = self.blocks.take()
            texts = [line.text for line in lines]
            rows, headed = grid_rows(texts) if is_grid_rule(texts[0]) else simple_rows(texts)
            yield from self.blocks.table(rows, lines[0].number, lines[-1].number, headed=headed)
        elif mode == "code":
            lines = self.blocks.take()
            text = "\n".join(_without_options(lines))
            if lines:
                yield from self.blocks.segment(text, SegmentKind.CODE, lines[0].number, lines[-1].number)
        else:
            yield from self.blocks.flush()

    def _goes_on(self) -> bool:
        """Tell a simple table with an empty line in it: it has not had its last rule yet."""
        rules = sum(is_simple_rule(line.text) for line in self.blocks.lines)
        return rules == 1 and is_simple_rule(self.blocks.lines[0].text) and len(self.blocks.lines) > 1

    def _is_heading(self, rule: str) -> bool:
        held = self.blocks.lines
        title = held[-1].text
        if len(held) == 2 and not (_is_adornment(held[0].text) and held[0].text.strip()[0] == rule.strip()[0]):
            return False
        if len(held) == 1 and (title[:1] in " \t" or _is_adornment(title)):
            return False
        return len(rule.strip()) >= min(len(title.strip()), 4)

    def _heading(self, line: Line) -> Iterator[Piece]:
        lines = self.blocks.take()
        style = line.text.strip()[0] * len(lines)
        level = self.levels.setdefault(style, len(self.levels) + 1)
        yield from self.blocks.heading(level, lines[-1].text, lines[0].number, line.number)


def _is_adornment(text: str) -> bool:
    text = text.rstrip()
    return len(text) >= 2 and text[0] in _MARKS and text == text[0] * len(text)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _without_options(lines: list[Line]) -> Iterator[str]:
    """Yield a directive's content: its options, which come first, are settings."""
    at_top = True
    for line in lines:
        at_top = at_top and (not line.text.strip() or _OPTION.match(line.text[:400]) is not None)
        if not at_top:
            yield line.text


def _shown(text: str) -> str:
    if text.rstrip().endswith("::"):
        text = text.rstrip()[:-1]
        text = "" if text == ":" else text
    if "`" not in text:
        return text
    text = _ROLE.sub(r"`\1`", _LINK.sub(lambda found: f"[{found[1].strip()}]({found[2]})", text))
    return _REFERENCE.sub(lambda found: found[1] if found[0].endswith("_") else found[0], text)
