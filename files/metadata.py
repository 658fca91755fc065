"""What a document says about itself, as facts for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_LONGEST = 500
# Shown elsewhere on the page, or of no use to people.
_LEFT_OUT = frozenset({"coverage", "children", "contains_location"})
# First what says what the file is, then the rest in the order of the alphabet: stored JSON keeps no order.
_FIRST = (
    *("title", "subject", "description", "author", "artist", "album", "from", "to", "cc", "sent_at", "created"),
    *("modified", "taken_at", "page_count", "slide_count", "sheet_count", "row_count", "entry_count", "duration"),
    *("width", "height", "camera_make", "camera_model", "gps_lat", "gps_lon"),
)
_NAMES = {"gps_lat": "Latitude", "gps_lon": "Longitude", "dpi": "Resolution (dpi)", "taken_at": "Taken"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value, both plain text."""

    label: str
    value: str


def metadata_facts(metadata: Mapping[str, object]) -> list[Fact]:
    """Return a file's metadata for reading: names in words, lists joined, empty values left out."""
    facts = [_coverage(metadata.get("coverage"))]
    shown = sorted(metadata.keys() - _LEFT_OUT, key=_place_of)
    facts += [Fact(_words(key), _text(metadata[key])) for key in shown]
    return [fact for fact in facts if fact.value]


def _coverage(value: object) -> Fact:
    if not isinstance(value, dict) or not value.get("total"):
        return Fact("Read", "")
    return Fact("Read", f"{value.get('done')} of {value['total']} {value.get('unit', '')}".strip())


def tells_location(metadata: Mapping[str, object]) -> bool:
    """Tell whether a file says where it was made: whoever passes it on passes that on too."""
    return bool(metadata.get("contains_location"))


def _place_of(key: str) -> tuple[int, str]:
    return (_FIRST.index(key), "") if key in _FIRST else (len(_FIRST), key)


def _words(key: str) -> str:
    return _NAMES.get(key) or key.replace("_", " ").capitalize()


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        text = ", ".join(filter(None, map(_text, value)))
    elif isinstance(value, Mapping):
        text = ", ".join(f"{_words(str(key))}: {_text(item)}" for key, item in value.items())
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    else:
        text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
