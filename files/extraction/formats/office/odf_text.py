"""The blocks of OpenDocument text as segments: the same in documents, on slides and in cells."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from files.extraction.document import Child, Piece, Place, Segment, SegmentKind
from files.extraction.formats.office.odf_package import OpenDocument
from files.extraction.formats.office.ole_objects import embedded_part
from files.extraction.headings import HeadingPath
from files.extraction.markdown_table import Row
from files.extraction.safe_xml import attribute, child, local_name, parse
from files.extraction.table_segments import table_segments

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

# fmt: off
_INVISIBLE = frozenset((
    "tracked-changes", "forms", "note-citation", "script", "event-listeners", "glue-point", "page-thumbnail",
    "table-of-content-source", "alphabetical-index-source", "illustration-index-source", "table-index-source",
    "user-index-source", "bibliography-source", "named-expressions",
))
_SHAPES = frozenset((
    "frame", "custom-shape", "g", "rect", "ellipse", "circle", "line", "polyline", "polygon", "path", "connector",
    "caption", "regular-polygon", "measure", "control",
))
# fmt: on
_RUNNING_FIELDS = ("sheet-name", "page-number", "page-count", "date", "time", "file-name")
_REPEAT = 1_000
_EMPTY_REPEAT = 40
_SPACES = 40
_LINK_CHARS = 200


def whole(text: str, otherwise: int = 0) -> int:
    """Return a count that a file claims, `otherwise` when it is none."""
    return int(text) if text.isdecimal() and len(text) < 12 else otherwise


class OdfText:
    """Reads blocks at a place. Headings change the place of what follows, unless it is fixed."""

    def __init__(self, document: OpenDocument, place: Place | None = None) -> None:
        self._document = document
        self._place = place or Place()
        self._headings = None if place else HeadingPath()
        self._floating: list[Element] = []
        self._embedded: set[str] = set()

    def pieces(self, element: Element) -> Iterator[Piece]:
        """Yield the pieces of one block, then of the notes, comments and shapes that are anchored in it."""
        yield from self._block(element)
        while self._floating:
            yield from self._block(self._floating.pop(0))

    def text(self, element: Element) -> str:
        """Return the text of a paragraph, or of all paragraphs inside another element, a line each."""
        if local_name(element.tag) in ("p", "h"):
            return self._inline(element)
        lines = [self._inline(inner) for inner in element.iter() if local_name(inner.tag) in ("p", "h")]
        return "\n".join(line for line in map(str.strip, lines) if line)

    def _block(self, element: Element) -> Iterator[Piece]:
        name = local_name(element.tag)
        if name == "h":
            yield from self._heading(element, whole(attribute(element, "outline-level"), 1))
        elif name == "p":
            yield from self._paragraph(element, "")
        elif name == "list":
            yield from self._list(element)
        elif name == "table":
            yield from table_segments(self._rows(element), self._place)
        elif name == "note":
            yield from self._note("", child(element, "note-body"))
        elif name == "annotation":
            author = child(element, "creator")
            by = f" by {author.text}" if author is not None and author.text else ""
            yield from self._note(f"Comment{by}: ", element)
        elif name in _SHAPES:
            yield from self._shape(element)
        elif name not in _INVISIBLE:
            for inner in element:
                yield from self.pieces(inner)

    def _heading(self, element: Element, level: int) -> Iterator[Segment]:
        text = self._inline(element).strip()
        if not text:
            return
        if self._headings is None:
            yield Segment(text, SegmentKind.PARAGRAPH, self._place)
            return
        above = self._headings.enter(level, " ".join(text.split()))
        heading = f"{'#' * min(max(level, 1), 6)} {text}"
        yield Segment(heading, SegmentKind.HEADING, replace(self._place, headings=above))
        self._place = replace(self._place, headings=self._headings.path)

    def _paragraph(self, element: Element, mark: str) -> Iterator[Segment]:
        if not mark and self._document.styles.is_title(attribute(element, "style-name")) and self._headings is not None:
            yield from self._heading(element, 0)
            return
        text = self._inline(element).strip()
        if text:
            yield Segment(mark + text, SegmentKind.PARAGRAPH, self._place)

    def _list(self, element: Element, style: str = "", depth: int = 1) -> Iterator[Piece]:
        style = attribute(element, "style-name") or style
        level = self._document.styles.level(style, depth)
        number = 0
        for item in element:
            is_item = local_name(item.tag) == "list-item"
            number += is_item
            mark = f"{'  ' * (depth - 1)}{level.mark(number)} " if is_item else ""
            for block in item:
                name = local_name(block.tag)
                if name == "list":
                    yield from self._list(block, style, depth + 1)
                elif name == "p":
                    yield from self._paragraph(block, mark)
                    mark = "  " * depth if mark else ""
                else:
                    yield from self.pieces(block)

    def _note(self, opening: str, body: Element | None) -> Iterator[Segment]:
        text = self.text(body) if body is not None else ""
        if text:
            yield Segment(opening + text, SegmentKind.NOTE, self._place)

    def _shape(self, element: Element) -> Iterator[Piece]:
        described = [child(element, name) for name in ("title", "desc")]
        words = [" ".join((found.text or "").split()) for found in described if found is not None]
        if any(words):
            yield Segment("Picture: " + ". ".join(filter(None, words)), SegmentKind.CAPTION, self._place)
        for inner in element:
            name = local_name(inner.tag)
            if name in ("object", "object-ole"):
                yield from self._object(inner)
            elif name not in ("image", "title", "desc") and name not in _INVISIBLE:
                yield from self.pieces(inner)

    def _object(self, element: Element) -> Iterator[Piece]:
        """Yield a chart, a formula or a document that is embedded: a folder of the package, or a part of it."""
        target = posixpath.normpath(attribute(element, "href"))
        package = self._document.package
        if package is None or not attribute(element, "href"):
            for inner in element:  # a flat document holds its objects itself
                yield from self._drawn(inner)
        elif f"{target}/content.xml" in package:
            yield from self._drawn(parse(package.read(f"{target}/content.xml")))
        elif target in package and target not in self._embedded:
            self._embedded.add(target)
            found: Child = embedded_part(package, target, self._place)
            yield found

    def _drawn(self, root: Element) -> Iterator[Segment]:
        formulas = [e.text or "" for e in root.iter() if local_name(e.tag) == "annotation"]
        titles = [self.text(e) for e in root.iter() if local_name(e.tag) in ("title", "subtitle") and len(e)]
        if words := "\n".join(filter(None, [*titles, *formulas])):
            yield Segment(words, SegmentKind.CAPTION, self._place)
        for table in root.iter():
            if local_name(table.tag) == "table":
                yield from table_segments(self._rows(table), self._place)

    def _rows(self, table: Element) -> list[Row]:
        rows: list[Row] = []
        for element in table:
            name = local_name(element.tag)
            if name == "table-row":
                row = self._cells(element)
                repeated = min(whole(attribute(element, "number-rows-repeated"), 1), _REPEAT) if any(row) else 1
                rows += [row] * repeated if len(rows) < _REPEAT * 100 else []
            elif name in ("table-header-rows", "table-rows", "table-row-group"):
                rows += self._rows(element)
        return rows

    def _cells(self, row: Element) -> list[str]:
        cells: list[str] = []
        for cell in row:
            if local_name(cell.tag) in ("table-cell", "covered-table-cell"):
                text = self._cell(cell)
                repeated = whole(attribute(cell, "number-columns-repeated"), 1)
                cells += [text] * min(repeated, _REPEAT if text else _EMPTY_REPEAT)
        while cells and not cells[-1]:
            cells.pop()
        return cells

    def _cell(self, cell: Element) -> str:
        lines = []
        for block in cell:
            name = local_name(block.tag)
            if name in ("p", "h"):
                lines.append(self._inline(block).strip())
            elif name == "list":
                lines += [f"- {self._inline(p).strip()}" for p in block.iter() if local_name(p.tag) in ("p", "h")]
            elif name not in _INVISIBLE:
                self._floating.append(block)
        return "\n".join(filter(None, lines))

    def _inline(self, element: Element) -> str:
        parts: list[str] = []
        self._gather(element, parts)
        return "".join(parts)

    def _gather(self, element: Element, parts: list[str]) -> None:
        """Append the text in an element; what only hangs on it waits. Depth is bounded by that of the XML."""
        parts.append(_folded(element.text))
        for inner in element:
            name = local_name(inner.tag)
            if name == "s":
                parts.append(" " * min(whole(attribute(inner, "c"), 1), _SPACES))
            elif name in ("tab", "line-break"):
                parts.append("\t" if name == "tab" else "\n")
            elif name == "a":
                self._gather_link(inner, parts)
            elif name == "ruby-text":
                parts.append(f" ({''.join(inner.itertext())})")
            elif name in ("note", "annotation") or name in _SHAPES:
                self._floating.append(inner)
            elif name not in _INVISIBLE:
                self._gather(inner, parts)
            parts.append(_folded(inner.tail))

    def _gather_link(self, element: Element, parts: list[str]) -> None:
        text = self._inline(element)
        target = attribute(element, "href")
        shown = text.strip() and target != text and target.startswith(("http", "mailto:")) and len(target) < _LINK_CHARS
        parts.append(f"[{text}]({target})" if shown else text)


def running_titles(reader: OdfText, masters: list[Element]) -> Iterator[Segment]:
    """Yield what stands above and below the pages, each text once. Page numbers and dates are not text."""
    seen: set[str] = set()
    for master in masters:
        for element in master:
            if not local_name(element.tag).startswith(("header", "footer")) or attribute(element, "display") == "false":
                continue
            for field in [f for f in element.iter() if local_name(f.tag) in _RUNNING_FIELDS]:
                field.text = ""
            text = reader.text(element)
            if any(map(str.isalpha, text)) and text not in seen:
                seen.add(text)
                yield Segment(text, SegmentKind.NOTE)


def _folded(text: str | None) -> str:
    """Return text with white space as OpenDocument counts it: a run is one space."""
    if not text:
        return ""
    if "\n" in text or "  " in text or "\t" in text:
        folded = " ".join(text.split())
        return f"{' ' if text[0].isspace() else ''}{folded}{' ' if text[-1].isspace() and folded else ''}"
    return text
