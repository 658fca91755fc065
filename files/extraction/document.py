"""What an extractor yields: segments with their place, metadata, warnings and coverage.

All are frozen, JSON-serialisable dataclasses, because they cross a process border: the extractor runs in a child
process (`sandbox`), the pipeline stores what arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    """Where a segment stands. Pages, slides, rows, cells and lines count from 1; seconds from the recording's start.

    `part` names what is inside the file, outermost first: an attachment, an archive's member, a database's table. The
    other fields then count inside that part. `cell` is a notebook's cell, `cells` a range in a sheet ("A1:D40").
    """

    part: tuple[str, ...] = ()
    page: int | None = None
    slide: int | None = None
    sheet: str | None = None
    cells: str | None = None
    cell: int | None = None
    row: int | None = None
    row_end: int | None = None
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


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of the document, as WEBP or JPEG, at most THUMBNAIL_BYTES."""

    data: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Child:
    """A file inside the file: an attachment, an embedded document, an archive's member.

    `chunks` gives its bytes when it is iterated, once, before the next piece is asked for. `files.extraction.children`
    reads it with the extractor of its own type; a Child never leaves the reading process.
    """

    name: str
    chunks: Iterable[bytes]
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class ReadBy:
    """Which reader the text comes from, and which ones gave up before it, each with its error code."""

    reader: str
    gave_up: tuple[tuple[str, str], ...] = ()


THUMBNAIL_BYTES = 64 * 1024
THUMBNAIL_PIXELS = 320
THUMBNAIL_TYPES = ("image/webp", "image/jpeg")

Piece = Segment | Metadata | Warning | Coverage | Thumbnail | Child | ReadBy
