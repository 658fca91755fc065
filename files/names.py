"""Names, tags and what is typed to find them come from users: they are data, never paths."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from orchestra.common.lines import one_line

MAX_NAME = 255
MAX_TAGS = 30
_MAX_TAG = 50


def clean_name(name: str) -> str:
    """Return a name fit to show and to offer for download: no folders, no control or direction-changing characters."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    stripped = one_line(unicodedata.normalize("NFC", last))
    if stripped in ("", ".", ".."):
        return "unnamed"
    if len(stripped) <= MAX_NAME:
        return stripped
    stem, dot, extension = stripped.rpartition(".")
    keep = f"{dot}{extension}" if stem and len(extension) <= 16 else ""
    return stripped[: MAX_NAME - len(keep)] + keep


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Return distinct, trimmed tags, at most 30 of at most 50 characters."""
    trimmed = (clean_tag(tag) for tag in tags)
    return list(dict.fromkeys(tag for tag in trimmed if tag))[:MAX_TAGS]


def clean_tag(tag: str) -> str:
    """Return one tag without control characters and outer spaces."""
    return one_line(tag)[:_MAX_TAG].strip()


def storable(text: str) -> str:
    """Return what a user typed without NUL, which PostgreSQL refuses even in a comparison."""
    return text.replace("\x00", "")
