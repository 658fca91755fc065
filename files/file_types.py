"""The table of what can be read: printed by `manage.py list_extractors`, and a page of the reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from files.extraction.media_types import BY_NAME
from files.extraction.registry import FORMATS, reader_name
from orchestra.monitoring.reference import TablePage


@dataclass(frozen=True, slots=True)
class FileType:
    """A line of the table: names for people, endings, media types, the readers in the order they are tried."""

    label: str
    endings: tuple[str, ...]
    media_types: tuple[str, ...]
    readers: tuple[str, ...]


def file_types() -> Iterator[FileType]:
    """Yield what can be read, in the registry's order."""
    for line in FORMATS:
        if line.label:
            endings = tuple(ending for media_type in line.media_types for ending in BY_NAME[media_type].endings)
            yield FileType(line.label, endings, line.media_types, tuple(map(reader_name, line.paths)))


def reference_page() -> TablePage:
    """Return the page of the reference."""
    found = list(file_types())
    rows = tuple((line.label, _code(line.endings), _code(line.readers)) for line in found)
    intro = (
        f"{sum(len(line.endings) for line in found)} endings; a file's type is found by content first, then by name.\n"
        "A reader is a module of `files/extraction/extractors/`. When one fails before any text, the next one\n"
        "takes over, and the file's timeline says so."
    )
    return TablePage("File types", intro, ("Type", "Endings", "Readers"), rows)


def _code(words: tuple[str, ...]) -> str:
    return " ".join(f"`{word}`" for word in words)
