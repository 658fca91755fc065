"""The rows of a document's table as segments: captions, then Markdown in parts that each repeat the header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from files.extraction.document import Place, Segment, SegmentKind
from files.extraction.markdown_table import Row, split_header, table_chunks


def table_segments(rows: Sequence[Row], place: Place) -> Iterator[Segment]:
    """Yield the segments of a table, all at `place`. Empty rows are left out; a single column is text, not a table."""
    numbered = [(at, row) for at, row in enumerate(rows) if any(cell.strip() for cell in row)]
    width = max((len(row) for _, row in numbered), default=0)
    if width < 2:  # a frame around text, not a table
        for _, row in numbered:
            yield Segment(row[0], SegmentKind.PARAGRAPH, place)
        return
    padded = [(at, [*row, *[""] * (width - len(row))]) for at, row in numbered]
    header, captions = split_header(padded)
    for _, row in captions:
        yield Segment("".join(row), SegmentKind.CAPTION, place)
    body = padded[len(captions) + (header is not None) :]
    for chunk in table_chunks(header or (0, [""] * width), body):
        yield Segment(chunk.text, SegmentKind.TABLE, place)
