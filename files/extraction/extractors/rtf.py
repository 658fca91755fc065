"""Rich Text documents: headings, paragraphs, tables, notes; pictures and objects are passed over."""

from __future__ import annotations

from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile
from files.extraction.formats.office.rtf_text import RtfBlock, RtfReader
from files.extraction.headings import HeadingPath
from files.extraction.limits import Limits
from files.extraction.table_segments import table_segments

_HEADING_CHARS = 500


class RtfExtractor(Extractor):
    """Reads text as the document shows it: without field codes, hidden and deleted text."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per heading, paragraph, table part and note."""
        data = source.path.read_bytes()
        if not data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rt"):
            raise MalformedFile
        reader = RtfReader(data)
        headings = HeadingPath()
        for block in reader.blocks():
            yield from _segments(block, headings)
        yield Metadata(reader.facts)
        if reader.cut_off:
            yield PieceWarning("truncated", "The end of this document is missing.")


def _segments(block: RtfBlock, headings: HeadingPath) -> Iterator[Segment]:
    if block.rows:
        yield from table_segments(block.rows, Place(headings=headings.path))
    elif block.is_note:
        yield Segment(block.text, SegmentKind.NOTE, Place(headings=headings.path))
    elif block.level and len(block.text) < _HEADING_CHARS:
        above = headings.enter(block.level, " ".join(block.text.split()))
        yield Segment(f"{'#' * min(block.level, 6)} {block.text}", SegmentKind.HEADING, Place(headings=above))
    else:
        yield Segment(block.text, SegmentKind.PARAGRAPH, Place(headings=headings.path))
