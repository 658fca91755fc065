"""PowerPoint 97 to 2003 presentations: per slide its title, texts, footers, notes and comments."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Child, Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.errors import MalformedFile, TooManyPages, UnsafeArchive
from files.extraction.formats.office.ole import open_container
from files.extraction.formats.office.powerpoint_binary import EMBEDDED, Presentation, Record, Slide
from files.extraction.limits import Limits

_STREAM, _USER = "PowerPoint Document", "Current User"
_FOR_97 = "PP97_DUALSTORAGE/"  # beside it lies a copy for PowerPoint 95
_BLOCK = 1 << 16


class PptExtractor(Extractor):
    """Reads the slides in their order; masters are left out but for what they put on every slide."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield per slide a heading with its title, then a segment per text, note and comment."""
        with open_container(source, limits) as container:
            folder = _FOR_97 if container.has(_FOR_97 + _STREAM) else ""
            if not container.has(folder + _STREAM):
                raise MalformedFile
            user = container.read(folder + _USER) if container.has(folder + _USER) else b""
            presentation = Presentation(data := container.read(folder + _STREAM), user)
            yield container.properties()
        slides = list(presentation.slides())
        if len(slides) > limits.pages:
            raise TooManyPages
        hidden = [number for number, slide in enumerate(slides, 1) if slide.hidden]
        yield Metadata(
            {"slide_count": len(slides), "hidden_slides": hidden} if hidden else {"slide_count": len(slides)}
        )
        for number, slide in enumerate(slides, 1):
            yield from _segments(number, slide)
        for text in dict.fromkeys(presentation.master_texts()):
            if text.strip("* "):
                yield Segment(text, SegmentKind.NOTE)
        yield Coverage("slides", len(slides), len(slides))
        for record in presentation.records(0, len(data)):
            if record.kind == EMBEDDED:
                yield Child(f"object-{record.start}", _unpacked(presentation, record, limits))


def _segments(number: int, slide: Slide) -> Iterator[Segment]:
    titles = [text.text for text in slide.texts if text.is_title and text.text]
    title = " ".join(titles[0].split()) if titles else ""
    if title:
        yield Segment(f"## {title}", SegmentKind.HEADING, Place(slide=number))
    place = Place(slide=number, headings=(title,) if title else ())
    seen = {titles[0]} if titles else set()
    for text in slide.texts:
        if text.text.strip("* ") and text.text not in seen:
            yield Segment(text.text, SegmentKind.PARAGRAPH, place)
    shown = {text.text for text in slide.texts}
    for note in (*(text for text in slide.footers if text not in shown), *slide.notes, *slide.comments):
        yield Segment(note, SegmentKind.NOTE, place)


def _unpacked(presentation: Presentation, record: Record, limits: Limits) -> Iterator[bytes]:
    """Yield an embedded object's bytes. Raises UnsafeArchive when it unpacks to more than the limits allow."""
    packed = presentation.content(record)
    if record.instance != 1:
        yield packed
        return
    allowed = limits.unpacked_for(len(packed))
    unpacker = zlib.decompressobj()
    packed = packed[4:]
    try:
        while packed and not unpacker.eof:
            block = unpacker.decompress(packed, _BLOCK)
            allowed -= len(block)
            if allowed < 0:
                raise UnsafeArchive
            yield block
            packed = unpacker.unconsumed_tail
    except zlib.error as exc:
        raise MalformedFile from exc
