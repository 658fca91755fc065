"""The one place where text is made storable: run in the reading process, on every piece it yields."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from files.extraction.document import Metadata, Piece, Place, Segment
from files.extraction.document import Warning as PieceWarning

SEGMENT_CHARS = 100_000  # longer runs are cut, so that a frame, a row and an index entry stay bounded
METADATA_CHARS = 2_000
METADATA_ITEMS = 2_000

_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean_text(text: str) -> str:
    """Return `text` that PostgreSQL and JSON accept: no NUL, no lone surrogate, no control but tab and newline."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROLS.search(text):
        text = _CONTROLS.sub(" ", text)
    if "\ufeff" in text:
        text = text.replace("\ufeff", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # A pair of surrogates that stands for one character is kept, a lone one cannot be stored.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def clean_piece(piece: Piece) -> Iterator[Piece]:
    """Yield `piece` with clean text, an oversized segment in parts, an empty one not at all."""
    if isinstance(piece, Segment):
        place = _clean_place(piece.place)
        for part in split_text(clean_text(piece.text).strip("\n")):
            same = part is piece.text and place is piece.place
            yield piece if same else replace(piece, text=part, place=place)
    elif isinstance(piece, Metadata):
        yield Metadata({clean_text(key): _clean_value(value) for key, value in piece.values.items() if value != ""})
    elif isinstance(piece, PieceWarning):
        yield replace(piece, message=clean_text(piece.message), place=_clean_place(piece.place))
    else:
        yield piece


def split_text(text: str, limit: int = SEGMENT_CHARS) -> Iterator[str]:
    """Yield `text` in parts of at most `limit` characters, cut at a line or a word where there is one."""
    start = 0
    while len(text) - start > limit:
        end = start + limit
        cut = max(text.rfind("\n", start + limit // 2, end), text.rfind(" ", start + limit // 2, end))
        end = cut + 1 if cut > 0 else end
        if part := text[start:end].strip():
            yield part
        start = end
    if text[start:].strip():
        yield text[start:] if start == 0 else text[start:].strip()


def _clean_place(place: Place) -> Place:
    if place.second is not None and not math.isfinite(place.second):
        place = replace(place, second=None)
    if not place.headings and place.sheet is None and not place.part:
        return place
    headings = tuple(clean_text(heading)[:METADATA_CHARS] for heading in place.headings)
    part = tuple(clean_text(name)[:METADATA_CHARS] for name in place.part)
    sheet = None if place.sheet is None else clean_text(place.sheet)
    if (headings, part, sheet) == (place.headings, place.part, place.sheet):
        return place
    return replace(place, headings=headings, part=part, sheet=sheet)


def _clean_value(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return clean_text(value).strip()[:METADATA_CHARS] if value.strip() else value
    if isinstance(value, (list, tuple)):
        return [_clean_value(item, depth + 1) for item in value[:METADATA_ITEMS]]
    if isinstance(value, dict) and depth < 4:
        return {clean_text(str(key)): _clean_value(item, depth + 1) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no such number, and PostgreSQL refuses it
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return clean_text(str(value))[:METADATA_CHARS]
