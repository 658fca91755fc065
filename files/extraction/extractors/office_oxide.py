"""Office files of before 2007 through office_oxide, where our own readers gave up on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece, Place, Segment, SegmentKind
from files.extraction.errors import MalformedFile
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits

_HEADING = re.compile(r"(#{1,6}) (\S.*)")
_SLIDE = re.compile(r"## Slide (\d{1,6})")
_FORMATS: dict[str, Literal["doc", "ppt", "xls"]] = {
    "application/msword": "doc",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.ms-excel": "xls",
}


class OfficeOxideExtractor(Extractor):
    """Reads what office_oxide makes of a file as Markdown."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per block. Raises MalformedFile where there is no text: nothing shows that it was read."""
        text = _markdown(source)
        if not text.strip():
            raise MalformedFile
        headings = HeadingPath()
        slide: int | None = None
        for block in filter(None, map(str.strip, re.split(r"\n\s*\n|\n(?=#{1,6} )", text))):
            if found := _SLIDE.fullmatch(block):
                slide = int(found[1])
            elif (found := _HEADING.fullmatch(block)) and slide is None:
                above = headings.enter(len(found[1]), found[2])
                yield Segment(block, SegmentKind.HEADING, Place(headings=above))
            else:
                kind = SegmentKind.TABLE if block.startswith("| ") else SegmentKind.PARAGRAPH
                yield Segment(block, kind, Place(slide=slide, headings=headings.path))


def _markdown(source: Source) -> str:
    from office_oxide import Document, OfficeOxideError

    try:
        return Document.from_bytes(source.path.read_bytes(), _FORMATS[source.media_type]).to_markdown()
    except OfficeOxideError as exc:
        raise MalformedFile from exc
