"""What stands on a sheet beside its cells: comments, text boxes, charts, diagrams, headers and footers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.document import Piece, Place, Segment, SegmentKind
from files.extraction.errors import MalformedFile
from files.extraction.formats.office.drawing_ml import TextBody, chart_segments, description, diagram_segment
from files.extraction.formats.office.packages import Package
from files.extraction.formats.office.xlsb_parts import binary_comments
from files.extraction.safe_xml import local_name, parse

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

_THREAD_PLACEHOLDER = "[Threaded comment]"
_HEADER_FOOTER = re.compile(rb"<(?:\w+:)?headerFooter\b.{0,20000}?</(?:\w+:)?headerFooter>", re.S)
_PREFIX = re.compile(rb"(</?)\w+:")
# Codes in headers and footers: fonts, sizes and colours, then fields (page, date, file, sheet), then what parts them.
_STYLE_CODE = re.compile(r'&"[^"]{0,200}"|&K[0-9A-Fa-f+-]{6,8}|&\d{1,3}|&[PNDTAFZGBIUEXYSOHbiuex+-]')
_PART_CODE = re.compile(r"&[LCR]")


def comments(package: Package, sheet: str, part: str) -> Iterator[Segment]:
    """Yield the comments of `part`, those of a thread together, each with its cell."""
    found: dict[str, list[str]] = {}
    for target in package.related(part, "threadedComment"):
        for comment in parse(package.read(target)):
            found.setdefault(comment.get("ref", ""), []).append(_joined(comment, "text"))
    for target in package.related(part, "comments"):
        for cell, text in _plain_comments(package, target):
            if text and not text.startswith(_THREAD_PLACEHOLDER):
                found.setdefault(cell, []).append(text)
    for cell, texts in found.items():
        if text := "\n".join(filter(None, texts)):
            yield Segment(f"Comment on {cell}: {text}", SegmentKind.NOTE, Place(sheet=sheet, cells=cell))


def drawings(package: Package, sheet: str, part: str) -> Iterator[Piece]:
    """Yield text boxes, descriptions of pictures, charts and diagrams on a sheet, or on a sheet that is a chart."""
    place = Place(sheet=sheet)
    for drawing in package.related(part, "drawing"):
        root = parse(package.read(drawing))
        links = {r.id: r.target for r in package.relations(drawing) if r.external and r.kind == "hyperlink"}
        for element in root.iter():
            name, text = local_name(element.tag), ""
            if name == "txBody":
                text = "\n".join(TextBody(links).lines(element))
            elif name == "cNvPr":
                text = description(element)
            if text:
                yield Segment(text, SegmentKind.CAPTION, place)
        for kind in ("chart", "chartEx"):
            for target in package.related(drawing, kind):
                yield from chart_segments(package, target, place)
        for target in package.related(drawing, "diagramData"):
            yield from diagram_segment(package, target, place)


def header_and_footer(tail: bytes, sheet: str) -> Iterator[Segment]:
    """Yield what stands above and below the printed pages, from the end of a sheet's XML."""
    found = _HEADER_FOOTER.search(tail)
    if not found:
        return
    try:
        root = parse(_PREFIX.sub(rb"\1", found[0]))
    except MalformedFile:
        return
    texts: dict[str, None] = {}
    for element in root:
        words = _PART_CODE.sub("\n", _STYLE_CODE.sub("", (element.text or "").replace("&&", "\0")))
        lines = [" ".join(line.split()) for line in words.replace("\0", "&").split("\n")]
        text = "\n".join(line for line in lines if any(map(str.isalpha, line)))
        if text:
            texts[text] = None
    for text in texts:
        yield Segment(text, SegmentKind.NOTE, Place(sheet=sheet))


def _plain_comments(package: Package, part: str) -> Iterator[tuple[str, str]]:
    if part.lower().endswith(".bin"):
        yield from binary_comments(package, part)
        return
    for comment in parse(package.read(part)).iter():
        if local_name(comment.tag) == "comment":
            yield comment.get("ref", ""), _joined(comment, "t")


def _joined(element: Element, name: str) -> str:
    return "".join(child.text or "" for child in element.iter() if local_name(child.tag) == name).strip()
