"""OpenDocument texts, presentations and drawings, packed or flat, through one pass over their parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.errors import TooManyPages
from files.extraction.formats.office.odf_package import DRAW, OFFICE, TABLE, TEXT, OpenDocument, open_document
from files.extraction.formats.office.odf_text import OdfText, running_titles
from files.extraction.limits import Limits
from files.extraction.safe_xml import attribute, child, local_name

if TYPE_CHECKING:
    from files.extraction.safe_xml import Element

# fmt: off
_TEXT_BLOCKS = (
    *(TEXT + name for name in ("p", "h", "list", "tracked-changes", "note")), TABLE + "table", OFFICE + "annotation",
    OFFICE + "forms", *(DRAW + name for name in ("frame", "custom-shape", "g", "rect", "ellipse", "line", "connector")),
)
# fmt: on
_PAGES = (DRAW + "page",)
_LENGTH = re.compile(r"(-?\d{1,9}(?:\.\d{1,9})?)(cm|mm|in|pt|pc|px)?")
_MILLIMETRES = {"cm": 10.0, "mm": 1.0, "in": 25.4, "pt": 0.353, "pc": 4.23, "px": 0.265}
_LINE = 5.0  # shapes whose tops differ by less than so many millimetres stand on one line
_TITLE = "title"
_RUNNING = ("footer", "header", "date-time", "page-number")


class OdfTextExtractor(Extractor):
    """Reads body, notes, comments, frames and objects; tracked insertions count, deletions do not."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per heading, paragraph, list item and table part; headers and footers come last."""
        with open_document(source, limits) as document:
            yield document.metadata()
            reader = OdfText(document)
            for event, element in document.blocks(_TEXT_BLOCKS):
                if event == "end":
                    yield from reader.pieces(element)
            yield from running_titles(reader, document.styles.used_masters())


class OdfSlidesExtractor(Extractor):
    """Reads slides, and the pages of drawings."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per slide its title, its shapes from top to bottom, its notes and comments; footers come last."""
        slides = "graphics" not in source.media_type
        number = 0
        hidden: list[int] = []
        with open_document(source, limits) as document:
            yield document.metadata()
            for event, element in document.blocks(_PAGES):
                if event == "start":
                    continue
                number += 1
                if number > limits.pages:
                    raise TooManyPages
                page = _Page(document, element, Place(slide=number) if slides else Place(page=number))
                if page.is_hidden:
                    hidden.append(number)
                yield from page.pieces(f"Slide {number}")
            for words in _footers(document):
                yield Segment(words, SegmentKind.NOTE)
        yield Metadata({"slide_count": number, "hidden_slides": hidden} if slides else {"page_count": number})
        yield Coverage("slides" if slides else "pages", number, number)


class _Page:
    """One slide or page."""

    def __init__(self, document: OpenDocument, element: Element, place: Place) -> None:
        self._document = document
        self._element = element
        self._place = place
        self.is_hidden = attribute(element, "style-name") in document.styles.hidden
        if master := attribute(element, "master-page-name"):
            document.styles.master_of[f"page {master}"] = master

    def pieces(self, name: str) -> Iterator[Piece]:
        """Yield the pieces of the page. `name` is what it is called when it has no title and is to be marked."""
        reader = OdfText(self._document, self._place)
        shapes = sorted((shape for shape in self._element if local_name(shape.tag) != "notes"), key=_position)
        titles = [shape for shape in shapes if _role(shape) == _TITLE]
        title = " ".join(" ".join(reader.text(shape) for shape in titles).split())
        if title or self.is_hidden:
            mark = " (hidden slide)" if self.is_hidden else ""
            yield Segment(f"## {title or name}{mark}", SegmentKind.HEADING, self._place)
        place = Place(slide=self._place.slide, page=self._place.page, headings=(title,) if title else ())
        reader = OdfText(self._document, place)
        for shape in shapes:
            if shape not in titles and _role(shape) not in _RUNNING:
                yield from reader.pieces(shape)
        notes = child(self._element, "notes")
        for frame in notes if notes is not None else ():
            if _role(frame) == "notes" and (text := reader.text(frame)):
                yield Segment(f"Notes: {text}", SegmentKind.NOTE, place)


def _footers(document: OpenDocument) -> Iterator[str]:
    """Yield the words that masters put on every slide, each once."""
    seen: set[str] = set()
    reader = OdfText(document, Place())
    for master in document.styles.used_masters():
        for shape in master:
            if local_name(shape.tag) == "notes" or _role(shape) not in ("", "footer", "header"):
                continue
            text = reader.text(shape)
            if any(map(str.isalpha, text)) and text not in seen:
                seen.add(text)
                yield text


def _role(shape: Element) -> str:
    return attribute(shape, "class")


def _position(shape: Element) -> tuple[bool, int, float]:
    return _role(shape) != _TITLE, int(_length(attribute(shape, "y")) // _LINE), _length(attribute(shape, "x"))


def _length(text: str) -> float:
    found = _LENGTH.fullmatch(text)
    return float(found[1]) * _MILLIMETRES.get(found[2] or "mm", 1.0) if found else 0.0
