"""What the line-based readers of markup share: blocks put together, headings followed, tables made readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.encoding import Line, detect_encoding, read_lines
from files.extraction.headings import HeadingPath
from files.extraction.markdown_table import NumberedRow, Row, split_header, table_chunks

BLOCK_CHARS = 20_000
_TITLE_CHARS = 500


class LineReader(Protocol):
    """What turns the lines of a text into pieces, one line at a time."""

    def take(self, line: Line) -> Iterator[Piece]:
        """Take one line; yield what it completes."""

    def end(self) -> Iterator[Piece]:
        """Yield what the end of the text completes."""


def read_line_by_line(path: Path, reader: LineReader) -> Iterator[Piece]:
    """Yield the encoding of a text, then what `reader` makes of its lines. Memory does not grow with the file."""
    encoding = detect_encoding(path)
    yield Metadata({"encoding": encoding})
    for line in read_lines(path, encoding):
        yield from reader.take(line)
    yield from reader.end()


def _as_written(text: str) -> str:
    return text


@dataclass(slots=True)
class MarkupBlocks:
    """Gathers lines; gives them away as one segment. `shown` turns the markup inside a paragraph into Markdown."""

    shown: Callable[[str], str] = _as_written
    headings: HeadingPath = field(default_factory=HeadingPath)
    lines: list[Line] = field(default_factory=list)
    size: int = 0

    def add(self, line: Line) -> Iterator[Segment]:
        """Take a line of a paragraph; yield what has become too large."""
        yield from self.hold(line, SegmentKind.PARAGRAPH)

    def hold(self, line: Line, kind: SegmentKind) -> Iterator[Segment]:
        """Take a line of a block of `kind`; yield what has become too large."""
        self.lines.append(line)
        self.size += len(line.text) + 1
        if self.size > BLOCK_CHARS:
            yield from self.flush(kind)

    def take(self) -> list[Line]:
        """Return the gathered lines and forget them."""
        lines, self.lines, self.size = self.lines, [], 0
        return lines

    def flush(self, kind: SegmentKind = SegmentKind.PARAGRAPH) -> Iterator[Segment]:
        """Yield the gathered lines; code comes as it is written."""
        if lines := self.take():
            text = "".join(line.text + "\n" if line.whole else line.text for line in lines)
            text = text if kind is SegmentKind.CODE else self.shown(text)
            yield from self.segment(text, kind, lines[0].number, lines[-1].number)

    def segment(self, text: str, kind: SegmentKind, first: int, last: int) -> Iterator[Segment]:
        """Yield `text` at its lines, under the headings above it; nothing when it is empty."""
        if text.strip():
            yield Segment(text.strip("\n"), kind, Place(line=first, line_end=last, headings=self.headings.path))

    def heading(self, level: int, text: str, first: int, last: int) -> Iterator[Segment]:
        """Enter a heading, which is level 1 at the top, and yield it."""
        text = " ".join(self.shown(text).split())
        if text:
            above = self.headings.enter(level, text[:_TITLE_CHARS])
            place = Place(line=first, line_end=last, headings=above)
            yield Segment(f"{'#' * min(max(level, 1), 6)} {text}", SegmentKind.HEADING, place)

    def table(self, rows: Sequence[Row], first: int, last: int, *, headed: bool | None = None) -> Iterator[Segment]:
        """Yield `rows` as Markdown tables. Whether the first one is a header is looked at where `headed` is None."""
        width = max((len(row) for row in rows), default=0)
        numbered: list[NumberedRow] = [
            (at, [*map(self.shown, row), *[""] * (width - len(row))]) for at, row in enumerate(rows)
        ]
        if not numbered:
            return
        header: NumberedRow | None = numbered[0] if headed else None
        captions: list[NumberedRow] = []
        if headed is None:
            header, captions = split_header(numbered)
        for _, row in captions:
            yield from self.segment(" ".join(row), SegmentKind.CAPTION, first, last)
        body = numbered[len(captions) + (header is not None) :]
        for chunk in table_chunks(header or (0, [""] * width), body):
            yield from self.segment(chunk.text, SegmentKind.TABLE, first, last)
