"""Text, tables, charts and diagrams as Office draws them: the same in presentations, documents and workbooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.document import Place, Segment, SegmentKind
from files.extraction.formats.office.packages import Package
from files.extraction.markdown_table import Row
from files.extraction.safe_xml import attribute, child, children, local_name, parse
from files.extraction.table_segments import table_segments

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

_WIDE = 12  # a chart of more categories is written with one category per row
_CELLS = 200_000
_LINK_CHARS = 200
_FILE_NAME = re.compile(r"[^\n]*\.(?:png|jpe?g|gif|bmp|emf|wmf|tiff?|svg|webp)", re.I)
_LEVELS = 9
_NODES = ("node", "asst", "")


class TextBody:
    """Reads the paragraphs of a text body. `links` are the addresses that its part knows; `listed` says what a
    paragraph without marks of its own is."""

    def __init__(self, links: dict[str, str], *, listed: bool = False) -> None:
        self._links = links
        self._listed = listed
        self._counts: dict[int, int] = {}

    def lines(self, body: Element) -> list[str]:
        """Return the paragraphs that hold text, list items with their mark and indent."""
        found = []
        for paragraph in children(body, "p"):
            text = self._text(paragraph).strip()
            if text:
                found.append(self._mark(paragraph) + text)
        return found

    def _text(self, paragraph: Element) -> str:
        parts: list[str] = []
        for run in paragraph:
            name = local_name(run.tag)
            if name == "r":
                parts.append(self._linked(run))
            elif name == "br":
                parts.append("\n")
            elif name == "fld" and attribute(run, "type") != "slidenum":
                parts.append(_first_text(run))
            elif name in ("AlternateContent", "m"):  # formulas
                parts += [text.text or "" for text in _chosen(run).iter() if local_name(text.tag) == "t"]
        return "".join(parts)

    def _linked(self, run: Element) -> str:
        text = _first_text(run)
        link = child(run, "rPr", "hlinkClick")
        target = self._links.get(attribute(link, "id"), "") if link is not None else ""
        shown = text.strip() and target != text and target.startswith(("http", "mailto:")) and len(target) < _LINK_CHARS
        return f"[{text}]({target})" if shown else text

    def _mark(self, paragraph: Element) -> str:
        settings = child(paragraph, "pPr")
        level = min(_whole(attribute(settings, "lvl")) if settings is not None else 0, _LEVELS - 1)
        marks = {local_name(mark.tag): mark for mark in (settings if settings is not None else ())}
        if "buAutoNum" in marks:
            self._counts[level] = self._counts.get(level, _whole(attribute(marks["buAutoNum"], "startAt"), 1) - 1) + 1
            return f"{'  ' * level}{self._counts[level]}. "
        for deeper in [at for at in self._counts if at >= level]:
            del self._counts[deeper]
        if "buNone" in marks or not (self._listed or level or "buChar" in marks or "buBlip" in marks):
            return ""
        return "  " * level + "- "


def table_rows(table: Element, links: dict[str, str]) -> list[Row]:
    """Return the rows of a drawn table; what a merged cell covers is empty."""
    rows: list[Row] = []
    for row in children(table, "tr"):
        cells = []
        for cell in children(row, "tc"):
            body = child(cell, "txBody")
            covered = attribute(cell, "hMerge") in ("1", "true") or attribute(cell, "vMerge") in ("1", "true")
            cells.append("" if covered or body is None else "\n".join(TextBody(links).lines(body)))
        rows.append(cells)
    return rows


def chart_segments(package: Package, part: str, place: Place) -> Iterator[Segment]:
    """Yield a chart's titles and, as a table, the values that it was drawn from."""
    root = parse(package.read(part))
    titles = [_words(element) for element in root.iter() if local_name(element.tag) == "title"]
    if shown := [title for title in titles if title]:
        yield Segment("\n".join(dict.fromkeys(shown)), SegmentKind.CAPTION, place)
    series = [element for element in root.iter() if local_name(element.tag) == "ser"]
    if series:
        yield from table_segments(_chart_rows(series), place)
    elif words := _words(child(root, "chartData")):
        yield Segment(words, SegmentKind.CAPTION, place)


def diagram_segment(package: Package, part: str, place: Place) -> Iterator[Segment]:
    """Yield the words of a diagram as a list, indented as its nodes are connected."""
    root = parse(package.read(part))
    texts = {
        attribute(point, "modelId"): " ".join(_words(point).split())
        for point in children(child(root, "ptLst"), "pt")
        if attribute(point, "type") in (*_NODES, "doc")
    }
    below: dict[str, list[tuple[int, str]]] = {}
    for link in children(child(root, "cxnLst"), "cxn"):
        if attribute(link, "type") in ("", "parOf"):
            order = _whole(attribute(link, "srcOrd"))
            below.setdefault(attribute(link, "srcId"), []).append((order, attribute(link, "destId")))
    lines = []
    waiting = [(key, -1) for key in reversed(texts)]
    waiting += [(key, -1) for key in below if key in texts and not texts[key]]  # the diagram itself comes first
    while waiting:
        key, level = waiting.pop()
        text = texts.pop(key, None)
        if text is None:
            continue
        if text:
            lines.append(f"{'  ' * min(max(level, 0), _LEVELS)}- {text}")
        waiting += [(inner, level + 1) for _, inner in sorted(below.get(key, ()), reverse=True)]
    if lines:
        yield Segment("\n".join(lines), SegmentKind.PARAGRAPH, place)


def description(element: Element | None) -> str:
    """Return what an author wrote about a picture; nothing where a program put its file name there."""
    text = " ".join(attribute(element, "descr").split()) if element is not None else ""
    return "" if _FILE_NAME.fullmatch(text) else text


def _chart_rows(series: list[Element]) -> list[Row]:
    """Return the table of a chart: a row per series, as the table below a chart has, or one per category."""
    categories: dict[int, str] = {}
    values: list[dict[int, str]] = []
    for one in series:
        for axis in ("cat", "xVal"):
            categories = categories or _points(child(one, axis))
        values.append(next((found for axis in ("val", "yVal") if (found := _points(child(one, axis)))), {}))
    numbers = sorted({*categories, *(at for row in values for at in row)})
    numbers = numbers[: _CELLS // (len(series) + 1)]  # points that are claimed far apart make a table without end
    rows: list[list[str]] = [["", *(categories.get(at, str(at + 1)) for at in numbers)]]
    for one, row in zip(series, values, strict=True):
        name = child(one, "tx")
        rows.append([_words(name), *(row.get(at, "") for at in numbers)])
    if len(numbers) > _WIDE:
        return [list(row) for row in zip(*rows, strict=True)]
    return list(rows)


def _points(axis: Element | None) -> dict[int, str]:
    found: dict[int, str] = {}
    for point in axis.iter() if axis is not None else ():
        if local_name(point.tag) == "pt":
            at = _whole(attribute(point, "idx"))
            words = _words(point)
            found[at] = f"{found[at]} {words}" if at in found else words  # several levels of categories
    return found


def _words(element: Element | None) -> str:
    """Return the text of runs and cached values in an element, a line per paragraph."""
    parts: list[str] = []
    for inner in element.iter() if element is not None else ():
        name = local_name(inner.tag)
        if name in ("t", "v"):
            parts.append(inner.text or "")
        elif name == "p" and parts:
            parts.append("\n")
    return "".join(parts).strip()


def _first_text(run: Element) -> str:
    text = child(run, "t")
    return (text.text or "") if text is not None else ""


def _chosen(element: Element) -> Element:
    """Return the first of several forms of the same content."""
    first = child(element, "Choice")
    return element if first is None else first


def _whole(text: str, otherwise: int = 0) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else otherwise
