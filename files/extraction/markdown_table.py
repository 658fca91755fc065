"""Rows as Markdown tables, in chunks that each repeat the header, so that a passage is readable by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

CHUNK_CHARS = 1_000  # about one passage of the index: a chunk that is longer would be cut away from its header
_HEADER_CHARS = 400  # a header longer than this is not repeated

_NUMBER = re.compile(r"[-+(]?[$€£]?\s?\d[\d.,:/' -]*\s?[%$€£)]?")

Row = Sequence[str]
NumberedRow = tuple[int, Row]


@dataclass(frozen=True, slots=True)
class TableChunk:
    """A Markdown table of some rows. `first` and `last` are the numbers that came with the rows."""

    text: str
    first: int
    last: int


def cell_text(text: str) -> str:
    """Return `text` fit for a table cell: one line, no bare pipe."""
    if "|" in text:
        text = text.replace("|", "\\|")
    return " ".join(text.split()) if "\n" in text or "\r" in text else text.strip()


def table_row(cells: Row) -> str:
    """Return one line of a Markdown table."""
    joined = " | ".join(cells)
    # Most rows need no work on their cells: two spaces are a sign of an empty one, or of one to be stripped.
    if joined.isprintable() and "  " not in joined and joined.count("|") == len(cells) - 1 and joined == joined.strip():
        return f"| {joined} |"
    return "| " + " | ".join(map(cell_text, cells)) + " |"


def split_header(opening: Sequence[NumberedRow]) -> tuple[NumberedRow | None, list[NumberedRow]]:
    """Return the header among the first rows of a table, None when there is none, and the title rows above it.

    A header has no number and no name twice; a title is a lone text in a table of several columns.
    """
    captions: list[NumberedRow] = []
    width = max((len(row) for _, row in opening), default=0)
    for at, (number, row) in enumerate(opening):
        filled = [cell.strip() for cell in row if cell.strip()]
        has_numbers = any(_NUMBER.fullmatch(cell) for cell in filled)
        if width > 1 and len(filled) == 1 and at < 3 and not has_numbers:
            captions.append((number, row))
            continue
        if (
            len(filled) >= len(row) - 1
            and not has_numbers
            and len(set(filled)) == len(filled)
            and len(opening) > at + 1
        ):
            return (number, row), captions
        break
    return None, captions


def table_chunks(header: NumberedRow, rows: Iterable[NumberedRow]) -> Iterator[TableChunk]:
    """Yield numbered `rows` under `header` in chunks of about CHUNK_CHARS. A header alone gives one chunk."""
    first, head = header[0], table_row(header[1]) + "\n" + _rule(len(header[1]))
    repeated = len(head) <= _HEADER_CHARS
    lines, size, last = [head], len(head), header[0]
    for number, row in rows:
        line = table_row(row)
        if size + len(line) > CHUNK_CHARS and len(lines) > (1 if repeated else 0):
            yield TableChunk("\n".join(lines), first, last)
            lines, size, first = ([head], len(head), number) if repeated else ([], 0, number)
        lines.append(line)
        size += len(line) + 1
        last = number
    yield TableChunk("\n".join(lines), first, last)


def _rule(width: int) -> str:
    return "|" + " --- |" * width
