"""What a page can show of a file beside its text: the file itself where a browser may have it, else what was read.

Nothing here is a document to the browser: pictures, sounds and films are shown by their elements, a PDF by the picture
of its first page, because no sandbox keeps a browser's PDF viewer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from files.models import FileRecord, FileSegment
from files.selectors import segments_of

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"})
_SOUNDS = frozenset({"audio/mpeg", "audio/ogg", "audio/opus", "audio/wav", "audio/mp4", "audio/flac", "audio/aac"})
_FILMS = frozenset({"video/mp4", "video/webm", "video/ogg"})
_LARGEST_PICTURE = 24 * 1024**2  # bytes; a larger one is shown by its thumbnail
_ROWS = 8
_COLUMNS = 8
_CELL_CHARACTERS = 60
_TEXT_CHARACTERS = 1_200
_TEXT_SEGMENTS = 12
_CELL_BORDER = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file is shown. `kind` is picture, sound, film, thumbnail, table, text, or empty for nothing to show.

    `rows` are the first of a table, its header first; `text` is how the text begins.
    """

    kind: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""
    more: bool = False


def may_be_shown(file: FileRecord) -> bool:
    """Tell whether a browser may have the file's bytes to show in a page."""
    if file.media_type in _PICTURES:
        return file.size <= _LARGEST_PICTURE
    return file.media_type in _SOUNDS | _FILMS


def preview_of(file: FileRecord) -> Preview:
    """Return how a file is shown, in one query at most."""
    if file.storage_key and may_be_shown(file):
        return Preview("picture" if file.media_type in _PICTURES else "sound" if file.media_type in _SOUNDS else "film")
    if file.has_thumbnail:
        return Preview("thumbnail")
    segments = list(segments_of(file)[:_TEXT_SEGMENTS])
    if segments and segments[0].kind == "table":
        return _table(segments[0], more=len(segments) > 1)
    text = "\n\n".join(segment.text for segment in segments).strip()
    if not text:
        return Preview()
    return Preview("text", text=text[:_TEXT_CHARACTERS], more=len(text) > _TEXT_CHARACTERS)


def _table(segment: FileSegment, *, more: bool) -> Preview:
    """Return the first rows of a Markdown table, as `extraction.markdown_table` writes them."""
    head, *lines = segment.text.split("\n")
    rows = [_cells(line) for line in (head, *lines[1:])]
    return Preview("table", tuple(rows[: _ROWS + 1]), more=more or len(rows) > _ROWS + 1)


def _cells(line: str) -> tuple[str, ...]:
    cells = _CELL_BORDER.split(line.strip().removeprefix("|").removesuffix("|"))
    return tuple(cell.strip().replace("\\|", "|")[:_CELL_CHARACTERS] for cell in cells[:_COLUMNS])
