"""LaTeX source: sections give the path, commands go, formulas stay, tables become readable. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Segment, SegmentKind
from files.extraction.encoding import Line
from files.extraction.formats.markup.latex_text import argument, plain, without_comment
from files.extraction.formats.markup.markup_blocks import MarkupBlocks, read_line_by_line
from files.extraction.limits import Limits

_LEVELS = {
    "part": 0,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "subparagraph": 6,
}
_SECTION = re.compile(rf"\\({'|'.join(_LEVELS)}|frametitle)\*?\s*(?:\[[^\[\]]{{0,500}}\])?\s*(?=\{{)")
_FACT = re.compile(r"\\(title|author|date|subtitle|keywords|subject)\s*(?:\[[^\[\]]{0,500}\])?\s*(?=\{)")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([\w*@-]{1,60})\}")
_USED = re.compile(
    r"\\(?:input|include|subfile|usepackage|RequirePackage|bibliography|addbibresource)"
    r"\s*(?:\[[^\[\]]{0,500}\])?\s*\{([^{}]{1,300})\}"
)
_SETTING = re.compile(
    r"\\(?:usepackage|documentclass|maketitle|tableofcontents|appendix|clearpage|newpage|centering|noindent|hline|toprule"
    r"|midrule|bottomrule|small|large|footnotesize|frontmatter|mainmatter|backmatter|bigskip|medskip|smallskip)"
)
_AND = re.compile(r"\s*\\and\b\s*")
_RULES = re.compile(r"\\(?:hline|toprule|midrule|bottomrule|(?:cline|cmidrule)(?:\([^()]{0,20}\))?\{[^{}]{0,20}\})")
_CELL = re.compile(r"(?<!\\)&")
_VERBATIM = frozenset(
    ("verbatim", "Verbatim", "lstlisting", "minted", "alltt", "filecontents", "filecontents*", "verbatim*")
)
_FORMULAS = frozenset(
    name + star
    for name in ("equation", "align", "gather", "multline", "displaymath", "math", "eqnarray", "flalign", "alignat")
    for star in ("", "*")
)
_TABLES = frozenset(("tabular", "tabular*", "tabularx", "longtable", "array", "tabulary", "supertabular"))
_WITH_SETTINGS = frozenset(
    ("figure", "figure*", "table", "table*", "itemize", "enumerate", "description", "minipage", "wrapfigure", "list",
     "subfigure", "multicols", "thebibliography", "adjustbox", "tikzpicture", "columns", "column")
)  # fmt: skip
_SETTINGS = re.compile(r"^\s*(?:\[[^\[\]]{0,300}\]|\{[^{}]{0,300}\}){1,4}")
_JOINED_LINES = 6
_PARTS = 200  # of one line; a page of LaTeX in one line is read as a paragraph from there on


class LatexExtractor(Extractor):
    """Yields headings, paragraphs, code, formulas and tables. Files that it names are never opened."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield the text of `source`. Memory does not grow with the file."""
        yield from read_line_by_line(source.path, _Reader())


@dataclass(slots=True)
class _Reader:
    """Takes line after line. `until` is the environment that is read as it stands."""

    blocks: MarkupBlocks = field(default_factory=lambda: MarkupBlocks(plain))
    facts: dict[str, object] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)
    until: str = ""
    waiting: Line | None = None  # a heading whose braces have not closed yet
    joined: int = 0
    number: int = 0
    rest: Line | None = None  # what stands behind the part of the line that is being read

    def take(self, line: Line) -> Iterator[Piece]:
        """Take one line; yield what it completes."""
        self.number = line.number
        if self.until:
            yield from self._take_as_it_stands(line)
            yield from self._take_rest()
            return
        text = without_comment(line.text)
        if not text.strip() and line.text.strip():
            return  # a line that is a comment parts no paragraphs
        line = Line(line.number, text, line.whole)
        if self.waiting:
            line = Line(self.waiting.number, f"{self.waiting.text} {text.strip()}", line.whole)
            self.joined += 1
        elif not (_SECTION.search(text) or _FACT.search(text)):
            yield from self._take_whole(line)
            return
        if _is_open(line.text) and self.joined < _JOINED_LINES:
            self.waiting = line
            return
        self.waiting, self.joined = None, 0
        yield from self._take_whole(line)

    def end(self) -> Iterator[Piece]:
        """Yield what is left."""
        if self.waiting:
            yield from self._take_whole(self.waiting)
        yield from self.blocks.flush(SegmentKind.CODE if self.until else SegmentKind.PARAGRAPH)
        if self.used:
            self.facts["includes"] = list(self.used)[:500]
        if "title" not in self.facts and self.blocks.headings.title:
            self.facts["title"] = self.blocks.headings.title
        yield Metadata({**self.facts, "line_count": self.number})

    def _take_whole(self, line: Line) -> Iterator[Piece]:
        self.rest = line
        yield from self._take_rest()

    def _take_rest(self) -> Iterator[Piece]:
        for _ in range(_PARTS):
            if self.rest is None:
                return
            line, self.rest = self.rest, None
            yield from self._take_part(line)
        if self.rest is not None:
            line, self.rest = self.rest, None
            yield from self.blocks.add(line)

    def _take_part(self, line: Line) -> Iterator[Piece]:
        text = line.text
        self.used.update(dict.fromkeys(name.strip() for found in _USED.findall(text) for name in found.split(",")))
        if fact := _FACT.search(text):
            yield from self._fact(fact, line)
        elif section := _SECTION.search(text):
            yield from self._section(section, line)
        elif environment := _ENVIRONMENT.search(text):
            yield from self._environment(environment, line)
        elif not text.strip():
            yield from self._flush()
        elif not _SETTING.fullmatch(text.strip()):
            yield from self.blocks.add(line)

    def _fact(self, fact: re.Match[str], line: Line) -> Iterator[Piece]:
        before = line.text[: fact.start()]
        if before.strip():
            yield from self.blocks.add(Line(line.number, before))
        yield from self._flush()
        value, end = argument(line.text, fact.end())
        value = " ".join(plain(_AND.sub(", ", value)).split())
        if value:
            self.facts.setdefault({"date": "created"}.get(fact[1], fact[1]), value)
            yield from self.blocks.segment(value, SegmentKind.PARAGRAPH, line.number, self.number)
        self.rest = Line(line.number, line.text[end:])

    def _section(self, section: re.Match[str], line: Line) -> Iterator[Piece]:
        before = line.text[: section.start()]
        if before.strip():
            yield from self.blocks.add(Line(line.number, before))
        yield from self._flush()
        title, end = argument(line.text, section.end())
        yield from self.blocks.heading(_LEVELS.get(section[1], 2), title, line.number, self.number)
        self.rest = Line(line.number, line.text[end:])

    def _environment(self, found: re.Match[str], line: Line) -> Iterator[Piece]:
        name, before, after = found[2], line.text[: found.start()], line.text[found.end() :]
        if before.strip():
            yield from self.blocks.add(Line(line.number, before))
        if name in _VERBATIM or name in _FORMULAS or name in _TABLES:
            if found[1] == "end":
                return
            yield from self._flush()
            self.until = name
            yield from self._take_as_it_stands(Line(line.number, found[0] + after, line.whole))
            return
        if name in ("document", "abstract", "figure", "table", "quote", "itemize", "enumerate"):
            yield from self._flush()
        if name == "abstract" and found[1] == "begin":
            yield from self.blocks.heading(2, "Abstract", line.number, line.number)
        if found[1] == "begin" and name in _WITH_SETTINGS:
            after = _SETTINGS.sub("", after, count=1)
        if after.strip():
            self.rest = Line(line.number, after)

    def _take_as_it_stands(self, line: Line) -> Iterator[Piece]:
        text = line.text if self.until in _VERBATIM else without_comment(line.text)
        inside, mark, after = text.partition(f"\\end{{{self.until}}}")
        if not mark:
            yield from self.blocks.hold(line, SegmentKind.CODE)
            return
        name, self.until = self.until, ""
        lines = [*self.blocks.take(), Line(line.number, inside + mark, line.whole)]
        yield from self._closed(name, lines)
        if after.strip():
            self.rest = Line(line.number, after)

    def _closed(self, name: str, lines: list[Line]) -> Iterator[Segment]:
        first, last = lines[0].number, lines[-1].number
        text = "\n".join(line.text for line in lines)
        if name in _TABLES:
            rows = _rows(text, name)
            yield from self.blocks.table(rows, first, last)
            return
        opening, closing = f"\\begin{{{name}}}", f"\\end{{{name}}}"
        if name in _VERBATIM:
            inside = text.removeprefix(opening).removesuffix(closing)
            inside = re.sub(r"^(?:\[[^\[\]]{0,500}\])?(?:\{[\w+-]{1,30}\})?[ \t]*\n", "", inside)
            yield from self.blocks.segment(inside, SegmentKind.CODE, first, last)
        else:
            yield from self.blocks.segment(text, SegmentKind.PARAGRAPH, first, last)

    def _flush(self) -> Iterator[Segment]:
        yield from self.blocks.flush()


def _is_open(text: str) -> bool:
    return text.count("{") > text.count("}") and len(text) < 4_000


def _rows(text: str, name: str) -> list[list[str]]:
    """Return the cells of a table environment."""
    inside = text.partition("}")[2].rpartition("\\end")[0]
    for _ in range(3 if name in ("tabular*", "tabularx", "tabulary") else 1):
        skipped = re.match(r"\s*\[[^\[\]]{0,20}\]", inside)
        inside = inside[skipped.end() :] if skipped else inside
        found, end = argument(inside, 0)
        if end == 0 or (not re.fullmatch(r"[\s|lcrpmbXSJLCR@!><*\d.{}\\a-z-]*", found)):
            break
        inside = inside[end:]
    rows = []
    for line in _RULES.sub("", inside).split("\\\\"):
        cells = [" ".join(cell.split()) for cell in _CELL.split(line)]
        if any(cells):
            rows.append(cells)
    return rows
