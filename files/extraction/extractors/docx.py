"""Word documents: one pass over every part that holds text, with memory for one paragraph or table at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile
from files.extraction.formats.office.docx_styles import ListPlace, Numbering, Styles, list_place
from files.extraction.formats.office.drawing_ml import chart_segments, description, diagram_segment
from files.extraction.formats.office.ole_objects import embedded_files
from files.extraction.formats.office.packages import Package, open_package
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits
from files.extraction.markdown_table import Row, table_row
from files.extraction.safe_xml import attribute, iterate, local_name, parse
from files.extraction.table_segments import table_segments

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMESPACES = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",  # "strict" documents
)
_BLOCK_TAGS = tuple(f"{{{namespace}}}{name}" for namespace in _NAMESPACES for name in ("p", "tbl"))
# Deleted and moved-away text, field codes, settings: what a reader of the accepted document does not see.
# fmt: off
_INVISIBLE = frozenset((
    "del", "moveFrom", "instrText", "delInstrText", "delText", "rPr", "tblPr", "tblGrid", "trPr", "tcPr", "sdtPr",
    "sdtEndPr", "sectPr", "fldData", "rt", "commentReference", "footnoteRef", "endnoteRef", "annotationRef",
))
# fmt: on
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": ""}
_SPAN = 40
_NOTES = ("footnotes", "endnotes")


class DocxExtractor(Extractor):
    """Reads body, text boxes, notes, comments, headers, footers, charts and diagrams."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per heading, paragraph and table part; tracked insertions count, deletions do not."""
        with open_package(source, limits) as package:
            main = _main_part(package)
            yield package.properties()
            yield from _Body(package, main).segments()
            for kind in _NOTES:
                for part in package.related(main, kind):
                    yield from _notes(package, part)
            for part in package.related(main, "comments"):
                yield from _comments(package, part)
            for kind in ("header", "footer"):
                yield from _running_titles(package, main, kind)
            yield from _drawings(package, main)
            yield from _embedded(package, main)


def _main_part(package: Package) -> str:
    for part in package.related("", "officeDocument"):
        return part
    if "word/document.xml" in package:
        return "word/document.xml"
    raise MalformedFile


@dataclass(slots=True)
class _Paragraph:
    text: str
    style: str = ""
    level: int | None = None
    place: ListPlace | None = None
    kind: SegmentKind = SegmentKind.PARAGRAPH


@dataclass(slots=True)
class _Block:
    """A paragraph or a table, and what floats beside it: text boxes, words for pictures, tables in cells."""

    paragraph: _Paragraph | None = None
    rows: list[Row] = field(default_factory=list)


def _blocks(package: Package, part: str) -> Iterator[_Block]:
    """Yield the top-level blocks of a part in order. An element is dropped as soon as it has been read."""
    links = {r.id: r.target for r in package.relations(part) if r.external and r.kind == "hyperlink"}
    depth = 0
    with package.open(part) as stream:
        for event, element in iterate(stream, _BLOCK_TAGS):
            depth += 1 if event == "start" else -1
            if event == "end" and depth == 0:
                yield from _Reader(links).read(element)
                element.clear()
                while (before := element.getprevious()) is not None:
                    element.getparent().remove(before)


class _Reader:
    """Reads one block element."""

    def __init__(self, links: dict[str, str]) -> None:
        self._links = links
        self._floating: list[_Element] = []

    def read(self, element: _Element) -> Iterator[_Block]:
        """Yield the block of `element`, then those of the text boxes and inner tables in it."""
        waiting = [element]
        while waiting:
            block = waiting.pop(0)
            if local_name(block.tag) == "docPr":
                yield _Block(_Paragraph(f"Picture: {description(block)}", kind=SegmentKind.CAPTION))
            else:
                yield self._paragraph(block) if local_name(block.tag) == "p" else self._table(block)
            waiting[:0] = self._floating
            self._floating = []

    def _paragraph(self, element: _Element) -> _Block:
        found = _Paragraph(self._text(element))
        settings = next((child for child in element if local_name(child.tag) == "pPr"), None)
        for setting in settings if settings is not None else ():
            name = local_name(setting.tag)
            if name == "pStyle":
                found.style = attribute(setting, "val")
            elif name == "outlineLvl" and attribute(setting, "val").isdecimal():
                found.level = int(attribute(setting, "val")) + 1
            elif name == "numPr":
                found.place = list_place(setting)
        return _Block(found)

    def _table(self, element: _Element) -> _Block:
        rows: list[Row] = []
        for row in _inside(element, "tr"):
            cells: list[str] = []
            for cell in _inside(row, "tc"):
                cells += [self._cell(cell), *[""] * (_span(cell) - 1)]
            rows.append(cells)
        return _Block(rows=rows)

    def _cell(self, cell: _Element) -> str:
        lines = []
        for child in _inside(cell, "p", "tbl"):
            if local_name(child.tag) == "tbl":
                self._floating.append(child)
            elif text := self._text(child).strip():
                lines.append(text)
        return "\n".join(lines)

    def _text(self, element: _Element) -> str:
        parts: list[str] = []
        self._gather(element, parts)
        return "".join(parts)

    def _gather(self, element: _Element, parts: list[str]) -> None:
        for child in element:
            name = local_name(child.tag)
            if name == "t":
                parts.append(child.text or "")
            elif name in _CHARACTERS:
                parts.append(_CHARACTERS[name])
            elif name == "txbxContent":
                self._floating += list(_inside(child, "p", "tbl"))
            elif name == "docPr":
                self._floating += [child] if description(child) else []
            elif name == "AlternateContent":
                self._gather_choice(child, parts)
            elif name == "hyperlink":
                self._gather_link(child, parts)
            elif name == "ruby":
                self._gather_ruby(child, parts)
            elif name not in _INVISIBLE and name != "pPr":
                self._gather(child, parts)

    def _gather_choice(self, element: _Element, parts: list[str]) -> None:
        """Read the first of several forms of the same content."""
        for child in element:
            if local_name(child.tag) in ("Choice", "Fallback"):
                self._gather(child, parts)
                return

    def _gather_link(self, element: _Element, parts: list[str]) -> None:
        text = self._text(element)
        target = self._links.get(attribute(element, "id"))
        shown = (
            target and text.strip() and target != text and target.startswith(("http", "mailto:")) and len(target) <= 200
        )
        parts.append(f"[{text}]({target})" if shown else text)

    def _gather_ruby(self, element: _Element, parts: list[str]) -> None:
        """Read characters with their reading above them: the characters, then the reading in brackets."""
        for wanted in ("rubyBase", "rt"):
            text = "".join(self._text(child) for child in element if local_name(child.tag) == wanted)
            if text:
                parts.append(text if wanted == "rubyBase" else f" ({text})")


class _Body:
    """The main part: headings make the path of what follows them."""

    def __init__(self, package: Package, part: str) -> None:
        self._package = package
        self._part = part
        self._headings = HeadingPath()
        self._styles = Styles(package, part)
        self._numbering = Numbering(package, part)

    def segments(self) -> Iterator[Segment]:
        """Yield the segments of the body."""
        for block in _blocks(self._package, self._part):
            if block.paragraph is None:
                yield from table_segments(block.rows, Place(headings=self._headings.path))
            elif block.paragraph.text.strip():
                yield self._segment(block.paragraph)

    def _segment(self, paragraph: _Paragraph) -> Segment:
        level = paragraph.level if paragraph.level is not None else self._styles.heading(paragraph.style)
        text = paragraph.text.strip()
        place = paragraph.place or self._styles.place(paragraph.style)
        mark = self._numbering.mark(place) if place and place.number else ""
        if level is not None and level <= 9 and len(text) < 500:
            text = text if mark in ("", "-") else f"{mark} {text}"
            above = self._headings.enter(level, " ".join(text.split()))
            return Segment(f"{'#' * min(max(level, 1), 6)} {text}", SegmentKind.HEADING, Place(headings=above))
        if place and mark:
            text = f"{'  ' * place.level}{mark} {text}"
        return Segment(text, paragraph.kind, Place(headings=self._headings.path))


def _notes(package: Package, part: str) -> Iterator[Segment]:
    for text in _plain(package, part):
        yield Segment(text, SegmentKind.NOTE)


def _running_titles(package: Package, main: str, kind: str) -> Iterator[Segment]:
    """Yield what stands above and below the pages, each text once."""
    seen: set[str] = set()
    for part in package.related(main, kind):
        for text in _plain(package, part):
            if text not in seen:
                seen.add(text)
                yield Segment(text, SegmentKind.NOTE)


def _plain(package: Package, part: str) -> Iterator[str]:
    for block in _blocks(package, part):
        text = "\n".join(map(table_row, block.rows)) if block.paragraph is None else block.paragraph.text.strip()
        if text.strip(" |\n-"):
            yield text


def _comments(package: Package, part: str) -> Iterator[Segment]:
    for comment in parse(package.read(part)):
        reader = _Reader({})
        blocks = [block for child in _inside(comment, "p") for block in reader.read(child)]
        text = "\n".join(block.paragraph.text for block in blocks if block.paragraph).strip()
        author = attribute(comment, "author")
        if text:
            yield Segment(f"Comment by {author}: {text}" if author else f"Comment: {text}", SegmentKind.NOTE)


def _drawings(package: Package, main: str) -> Iterator[Piece]:
    """Yield charts and diagrams; one that is damaged does not take the text along."""
    for kind, reader in (("chart", chart_segments), ("chartEx", chart_segments), ("diagramData", diagram_segment)):
        for part in package.related(main, kind):
            try:
                yield from reader(package, part, Place())
            except MalformedFile:
                yield PieceWarning("malformed", "A chart or diagram in this document could not be read.")


def _embedded(package: Package, main: str) -> Iterator[Piece]:
    """Yield the files that the body, its headers, footers and notes hold as objects."""
    seen: set[str] = set()
    for part in [main, *(part for kind in ("header", "footer", *_NOTES) for part in package.related(main, kind))]:
        yield from embedded_files(package, part, Place(), seen)


def _inside(element: _Element, *names: str) -> Iterator[_Element]:
    """Yield the nearest descendants with one of `names`, through content controls and insertions."""
    for child in element:
        name = local_name(child.tag)
        if name in names:
            yield child
        elif name not in _INVISIBLE:
            yield from _inside(child, *names)


def _span(cell: _Element) -> int:
    for setting in cell:
        if local_name(setting.tag) == "tcPr":
            for child in setting:
                value = attribute(child, "val")
                if local_name(child.tag) == "gridSpan" and value.isdecimal() and len(value) < 6:
                    return max(1, min(int(value), _SPAN))
    return 1
