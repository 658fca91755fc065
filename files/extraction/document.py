"""What an extractor yields: segments with their place, metadata, warnings and coverage.

All are frozen, JSON-serialisable dataclasses, because they cross a process border: the extractor runs in a child
process (`sandbox`), the pipeline stores what arrives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class SegmentKind(StrEnum):
    """What a piece of text is in its document."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    TABLE = "table"
    CODE = "code"
    NOTE = "note"
    CAPTION = "caption"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment stands. Pages, slides and lines count from 1; seconds from the start of the recording."""

    page: int | None = None
    slide: int | None = None
    sheet: str | None = None
    cells: str | None = None
    line: int | None = None
    line_end: int | None = None
    second: float | None = None
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text (Markdown where it has structure) with one place. `text` is never empty."""

    text: str
    kind: SegmentKind = SegmentKind.PARAGRAPH
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Facts about the whole document under standard keys: title, author, created, page_count, encoding …"""

    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the word of the contract; who imports it beside the builtin renames it
    """Something that could not be read. Any warning makes the file `partial`, not failed."""

    code: str
    message: str
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much was read: `done` of `total` units ('pages', 'sheets', 'rows', 'bytes'). May be yielded repeatedly."""

    unit: str
    done: int
    total: int


Piece = Segment | Metadata | Warning | Coverage
