"""PowerPoint presentations: slides in the order of the show, shapes as they stand on them, notes and comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile, TooManyPages
from files.extraction.formats.office.drawing_ml import TextBody, chart_segments, diagram_segment, table_rows
from files.extraction.formats.office.ole_objects import embedded_files
from files.extraction.formats.office.packages import Package, open_package
from files.extraction.formats.office.slide_shapes import Positions, Shape, shapes
from files.extraction.limits import Limits
from files.extraction.safe_xml import attribute, child, children, local_name, parse
from files.extraction.table_segments import table_segments

_DRAWN = {"chart": "chart", "chartEx": "chart", "relIds": "diagram"}


class PptxExtractor(Extractor):
    """Reads every slide, hidden ones too."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per slide its title, text, tables, charts, diagrams, notes and comments; then footers, once each."""
        with open_package(source, limits) as package:
            show = _Show(package)
            yield package.properties()
            yield Metadata({"slide_count": len(show.slides)})
            for number, part in enumerate(show.slides, 1):
                if number > limits.pages:
                    raise TooManyPages
                yield from _read_slide(show, part, number)
                yield Coverage("slides", number, len(show.slides))
            yield Metadata({"hidden_slides": show.hidden})
            for text in show.footers:
                yield Segment(text, SegmentKind.NOTE)


@dataclass(slots=True)
class _Show:
    """The presentation: its slides in order, and what is gathered while they are read."""

    package: Package
    slides: list[str] = field(default_factory=list)
    authors: dict[str, str] = field(default_factory=dict)
    positions: Positions = field(init=False)
    hidden: list[int] = field(default_factory=list)
    footers: dict[str, None] = field(default_factory=dict)
    embedded: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        main = next(iter(self.package.related("", "officeDocument")), "ppt/presentation.xml")
        if main not in self.package:
            raise MalformedFile
        self.positions = Positions(self.package)
        targets = {relation.id: relation.target for relation in self.package.relations(main)}
        listed = children(child(parse(self.package.read(main)), "sldIdLst"), "sldId")
        found = [targets.get(_relation_id(dict(entry.attrib)), "") for entry in listed]
        self.slides = [part for part in found if part in self.package]
        for kind in ("commentAuthors", "authors"):
            for part in self.package.related(main, kind):
                for author in parse(self.package.read(part)):
                    self.authors[attribute(author, "id")] = attribute(author, "name")


def _relation_id(attributes: dict[str, str]) -> str:
    """Return `r:id`, which stands beside an `id` of its own."""
    return next((value for key, value in attributes.items() if key.endswith("}id")), "")


def _read_slide(show: _Show, part: str, number: int) -> Iterator[Piece]:
    place = Place(slide=number)
    try:
        yield from _Slide(show, part, number).pieces()
    except MalformedFile:
        yield PieceWarning("malformed", f"Slide {number} could not be read.", place)
    try:
        yield from _notes(show, part, place)
        yield from _comments(show, part, place)
    except MalformedFile:
        yield PieceWarning("malformed", f"The notes or comments of slide {number} could not be read.", place)
    yield from embedded_files(show.package, part, place, show.embedded)


class _Slide:
    """One slide: its title is the heading of all that stands on it."""

    def __init__(self, show: _Show, part: str, number: int) -> None:
        self._show = show
        self._part = part
        self._root = parse(show.package.read(part))
        relations = show.package.relations(part)
        self._targets = {relation.id: relation.target for relation in relations}
        self._links = {r.id: r.target for r in relations if r.external and r.kind == "hyperlink"}
        self._number = number
        self._place = Place(slide=number)

    def pieces(self) -> Iterator[Piece]:
        """Yield the slide's pieces, title first, then from top to bottom."""
        found = shapes(self._root, self._show.positions.of(self._part))
        titles = [shape for shape in found if shape.is_title]
        title = " ".join(" ".join(self._lines(shape)) for shape in titles)
        title = " ".join(title.split())
        if attribute(self._root, "show") in ("0", "false"):
            self._show.hidden.append(self._number)
            yield Segment(f"## {title or f'Slide {self._number}'} (hidden slide)", SegmentKind.HEADING, self._place)
        elif title:
            yield Segment(f"## {title}", SegmentKind.HEADING, self._place)
        if title:
            self._place = Place(slide=self._number, headings=(title,))
        for shape in found:
            if not shape.is_title:
                yield from self._shape(shape)

    def _shape(self, shape: Shape) -> Iterator[Piece]:
        if shape.role == "sldNum":
            return
        if shape.role in ("ftr", "dt", "hdr"):
            self._show.footers.update(dict.fromkeys(self._lines(shape)))
            return
        lines = self._lines(shape)
        if lines:
            yield Segment("\n".join(lines), SegmentKind.PARAGRAPH, self._place)
        if shape.frame is not None:
            yield from self._frame(shape)
        if shape.description:
            yield Segment(f"Picture: {shape.description}", SegmentKind.CAPTION, self._place)

    def _lines(self, shape: Shape) -> list[str]:
        if shape.body is None:
            return []
        return TextBody(self._links, listed=shape.role in ("body", "obj")).lines(shape.body)

    def _frame(self, shape: Shape) -> Iterator[Piece]:
        for element in shape.frame.iter() if shape.frame is not None else ():
            name = local_name(element.tag)
            if name == "tbl":
                yield from table_segments(table_rows(element, self._links), self._place)
            elif name in _DRAWN:
                target = self._targets.get(attribute(element, "dm" if name == "relIds" else "id"), "")
                if target in self._show.package:
                    reader = diagram_segment if name == "relIds" else chart_segments
                    yield from reader(self._show.package, target, self._place)


def _notes(show: _Show, part: str, place: Place) -> Iterator[Segment]:
    for notes in show.package.related(part, "notesSlide")[:1]:
        for shape in shapes(parse(show.package.read(notes)), {}):
            if shape.body is None or shape.role in ("sldNum", "dt", "hdr", "ftr", "sldImg"):
                continue
            if lines := TextBody({}).lines(shape.body):
                yield Segment("Notes: " + "\n".join(lines), SegmentKind.NOTE, place)


def _comments(show: _Show, part: str, place: Place) -> Iterator[Segment]:
    """Yield comments of both forms: the older has its text in `text`, the newer in a text body, with replies."""
    for comments in show.package.related(part, "comments"):
        for element in parse(show.package.read(comments)).iter():
            if local_name(element.tag) not in ("cm", "reply"):
                continue
            plain, body = child(element, "text"), child(element, "txBody")
            text = (plain.text or "") if plain is not None else ""
            if body is not None:
                text = "\n".join(TextBody({}).lines(body))
            author = show.authors.get(attribute(element, "authorId"), "")
            if text.strip():
                yield Segment(f"Comment by {author}: {text}" if author else f"Comment: {text}", SegmentKind.NOTE, place)
