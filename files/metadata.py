"""What a document says about itself, as facts for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_LONGEST = 500
# Shown elsewhere on the page, or of no use to people.
_LEFT_OUT = frozenset({"coverage", "language"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value, both plain text."""

    label: str
    value: str


def metadata_facts(metadata: Mapping[str, object]) -> list[Fact]:
    """Return a file's metadata for reading: names in words, lists joined, empty values left out."""
    facts = [_coverage(metadata.get("coverage"))]
    facts += [Fact(_words(key), _text(value)) for key, value in metadata.items() if key not in _LEFT_OUT]
    return [fact for fact in facts if fact.value]


def _coverage(value: object) -> Fact:
    if not isinstance(value, dict) or not value.get("total"):
        return Fact("Read", "")
    return Fact("Read", f"{value.get('done')} of {value['total']} {value.get('unit', '')}".strip())


def _words(key: str) -> str:
    return key.replace("_", " ").capitalize()


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
