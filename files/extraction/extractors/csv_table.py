"""CSV and TSV: the dialect is voted on, the rows come as Markdown tables that repeat the header."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from files.extraction.base import Extractor, Source
from files.extraction.document import Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.encoding import detect_encoding, open_text, read_lines
from files.extraction.errors import TooManyCells
from files.extraction.formats.data.column_types import ColumnTypes
from files.extraction.limits import Limits
from files.extraction.markdown_table import NumberedRow, split_header, table_chunks

_DELIMITERS = (",", ";", "\t", "|", "^", "\x1f", ":")
_SAMPLE_CHARS = 64 * 1024
_SAMPLE_ROWS = 100
_TEXT_CHARS = 2_000
_FIELD_CHARS = 1 << 20
_STREAMED = 10  # times the cells of a spreadsheet: here each takes its bytes in the file, and none is kept
_WIDE = 200  # columns; numbered names for more than that would drown the values


class CsvExtractor(Extractor):
    """Reads separated values as a stream: memory does not grow with the file."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield one table segment per run of rows, with the lines it stands on, and what the columns are."""
        encoding = detect_encoding(source.path)
        tally = _Tally()
        delimiter, skipped = _vote(_sample(source.path, encoding))
        rows = tally.counting(_bounded(_rows(source.path, encoding, delimiter, skipped, tally), limits))
        opening = list(islice(rows, 20))
        header, captions = split_header(opening)
        yield Metadata({"encoding": encoding, "delimiter": delimiter, "has_header": header is not None})
        for number, row in captions:
            yield Segment("".join(row).strip(), SegmentKind.CAPTION, Place(line=number, line_end=number))
        types = ColumnTypes()
        body = types.watching(chain(opening[len(captions) + (header is not None) :], rows))
        yield from _table(header, body)
        if tally.broken_at:
            yield from _as_text(source.path, encoding, tally.broken_at)
        yield Metadata({"row_count": tally.rows, "column_count": tally.columns})
        yield Metadata({"column_types": types.types(), "sample": types.sample})
        yield Coverage("rows", tally.rows, tally.rows)


def _table(header: NumberedRow | None, body: Iterator[NumberedRow]) -> Iterator[Piece]:
    if header is None:
        first = next(body, None)
        if first is None:
            return
        # Without a header the columns are numbered, so that every chunk still is a table.
        header = (first[0], [f"column {at}" for at in range(1, len(first[1]) + 1)])
        body = chain([first], body)
        if len(first[1]) > _WIDE:
            yield from (Segment(", ".join(row), place=Place(line=at, line_end=at)) for at, row in body)
            return
    else:
        yield Metadata({"column_names": [name.strip() for name in header[1]]})
    for chunk in table_chunks(header, body):
        yield Segment(chunk.text, SegmentKind.TABLE, Place(line=chunk.first, line_end=chunk.last))


def _as_text(path: Path, encoding: str, first: int) -> Iterator[Segment]:
    """Yield the lines from `first` on as they stand."""
    held: list[str] = []
    size = 0
    for line in read_lines(path, encoding):
        if line.number < first:
            continue
        if held and size > _TEXT_CHARS:
            yield Segment("\n".join(held), place=Place(line=first, line_end=line.number))
            held, size, first = [], 0, line.number
        held.append(line.text)
        size += len(line.text) + 1
    if any(text.strip() for text in held):
        yield Segment("\n".join(held), place=Place(line=first, line_end=max(first, line.number)))


class _Tally:
    """Counts rows that hold something, the header too, and columns."""

    def __init__(self) -> None:
        self.rows = 0
        self.columns = 0
        self.broken_at = 0

    def counting(self, rows: Iterator[NumberedRow]) -> Iterator[NumberedRow]:
        for number, row in rows:
            self.rows += 1
            self.columns = max(self.columns, len(row))
            yield number, row


def _rows(path: Path, encoding: str, delimiter: str, skipped: int, tally: _Tally) -> Iterator[NumberedRow]:
    """Yield the rows that hold something, each with the line it starts on. `tally` learns where csv gives up."""
    csv.field_size_limit(_FIELD_CHARS)
    with open_text(path, encoding) as file:
        lines = (line.replace("\x00", "") for line in islice(file, skipped, None))
        reader = csv.reader(lines, delimiter=delimiter)
        start = skipped + 1
        try:
            for row in reader:
                if any(cell and not cell.isspace() for cell in row):
                    yield start, row
                start = reader.line_num + skipped + 1
        except csv.Error:
            tally.broken_at = start  # a quote that never closes, say: the rest is no table


def _bounded(rows: Iterator[NumberedRow], limits: Limits) -> Iterator[NumberedRow]:
    allowed = limits.cells * _STREAMED
    for number, row in rows:
        allowed -= len(row)
        if allowed < 0:
            raise TooManyCells
        yield number, row


def _sample(path: Path, encoding: str) -> list[str]:
    with open_text(path, encoding) as file:
        text = file.read(_SAMPLE_CHARS)
    lines = text.splitlines(keepends=True)
    return lines[:-1] if len(text) == _SAMPLE_CHARS and len(lines) > 1 else lines


def _vote(lines: list[str]) -> tuple[str, int]:
    """Return the delimiter, and how many leading lines declare it. The one that gives the most even table wins."""
    if lines and (declared := re.fullmatch(r'"?sep=(.)"?\s*', lines[0].lstrip("\ufeff"), re.I)):
        return declared[1], 1
    lines = [line.replace("\x00", "") for line in lines]
    # Quotes that end at a delimiter speak for it; only when no candidate has them so are loose ones forgiven.
    for strict in (True, False):
        votes = {delimiter: _evenness(lines, delimiter, strict=strict) for delimiter in _DELIMITERS}
        if any(votes.values()):
            break
    return max(votes, key=lambda delimiter: votes[delimiter]), 0


def _evenness(lines: list[str], delimiter: str, *, strict: bool) -> float:
    """Return how table-like `lines` are when cut at `delimiter`: rows of the usual width count, wider is better."""
    try:
        rows = [row for row in islice(csv.reader(lines, delimiter=delimiter, strict=strict), _SAMPLE_ROWS) if row]
    except csv.Error:
        return 0.0
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return 0.0
    width, usual = max(widths.items(), key=lambda item: item[1] * min(item[0], 4))
    return usual / len(rows) * (2.0 - 1.0 / width)
