"""Where a file came from, and what is inside it or belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from files.models import FileRecord, ImportedItem
from files.places import place_address

_MOST_CHILDREN = 200
_MOST_ITEMS = 50


@dataclass(frozen=True, slots=True)
class Child:
    """A file inside a file. `at` is its place for `?at=` of the page; empty where nothing of it was read."""

    name: str
    depth: int
    size: int | None
    media_type: str
    read: bool
    at: str


@dataclass(frozen=True, slots=True)
class Origin:
    """`imports` are the documents of sources that the file came from; `parents` and `parts` those around these."""

    imports: tuple[ImportedItem, ...]
    parents: tuple[ImportedItem, ...]
    parts: tuple[ImportedItem, ...]
    children: tuple[Child, ...]


def origin_of(file: FileRecord) -> Origin:
    """Return where a file came from, in two queries."""
    imports = tuple(_items(Q(file=file)))
    around = _around(file, imports) if imports else ()
    keys = {(item.integration_id, item.key) for item in imports}
    parts = tuple(item for item in around if (item.integration_id, item.parent) in keys)
    return Origin(imports, tuple(item for item in around if item not in parts), parts, tuple(_children(file)))


def _around(file: FileRecord, imports: tuple[ImportedItem, ...]) -> tuple[ImportedItem, ...]:
    """Return the documents that these are a part of, and those that are a part of them."""
    wanted = Q()
    for item in imports:
        wanted |= Q(integration=item.integration_id, parent=item.key)
        if item.parent:
            wanted |= Q(integration=item.integration_id, key=item.parent)
    return tuple(_items(wanted & Q(file__owner=file.owner_id, file__trashed_at=None)))


def _items(wanted: Q) -> QuerySet[ImportedItem]:
    return ImportedItem.objects.filter(wanted).select_related("integration", "file")[:_MOST_ITEMS]


def _children(file: FileRecord) -> Iterator[Child]:
    listed = file.metadata.get("children")
    for entry in (listed if isinstance(listed, list) else [])[:_MOST_CHILDREN]:
        if isinstance(entry, dict) and entry.get("name"):
            yield _child(entry)


def _child(entry: dict[str, Any]) -> Child:
    name, depth, size = str(entry["name"]), entry.get("depth"), entry.get("size")
    deep = depth if isinstance(depth, int) else 1
    read = bool(entry.get("read"))
    at = place_address({"part": [name]}) if read and deep == 1 else ""
    return Child(name, deep, size if isinstance(size, int) else None, str(entry.get("media_type", "")), read, at)
