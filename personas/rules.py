"""What a persona may hold, checked in one place: for the API, the pages, imports and the admin.

What comes in is hostile: types are looked at, characters that a reader cannot see are taken out, lengths are bounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from orchestra.common.lines import one_line
from personas.errors import InvalidPersona
from personas.prompting import DEFAULT_TONE, TONES

MOST_PERSONAS = 100
LONGEST_NAME = 100
LONGEST_DESCRIPTION = 500
LONGEST_PROMPT = 8_000
LONGEST_MODEL = 150
HIGHEST_TEMPERATURE = 2.0
MOST_TAGS = 30
LONGEST_TAG = 50
MOST_TERMS = 200
LONGEST_TERM = 100
MOST_GROUPS = 30
LONGEST_GROUP = 150

KINDS = (
    *("document", "spreadsheet", "text", "mail", "web", "data", "code"),
    *("image", "audio", "video", "archive", "other"),
)
"""The kinds of files; a test compares them with those that `files` finds."""

DEFAULTS: dict[str, Any] = {
    "description": "",
    "prompt": "",
    "tone": DEFAULT_TONE,
    "mode": "",
    "model": "",
    "temperature": None,
    "tags": [],
    "kinds": [],
    "blocked_terms": [],
    "shared": False,
    "groups": [],
}
"""Every field but the name, as it is where nothing is said."""

PORTABLE = ("name", *(field for field in DEFAULTS if field not in ("shared", "groups")))
"""What is exported and imported: with whom a persona is shared belongs to the installation it is on."""

_MODEL = re.compile(r"[A-Za-z0-9@][A-Za-z0-9._:/@+~-]*")
# They show a text in another order than it has.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class _Wrong(ValueError):
    """A value breaks a rule, told by a sentence."""


def cleaned(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return the fields as they may be stored. Raises InvalidPersona; its details say what is wrong with each field."""
    good: dict[str, Any] = {}
    wrong: dict[str, Any] = {}
    for name, value in fields.items():
        try:
            good[name] = _CHECKS[name](value)
        except _Wrong as exc:
            wrong[name] = [str(exc)]
    if wrong:
        raise InvalidPersona(**wrong)
    return good


def modes() -> tuple[str, ...]:
    """Return the search modes of this server."""
    return tuple(settings.SEARCH_MODES)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong("Write a text.")
    return value


def _bounded(text: str, longest: int) -> str:
    if len(text) > longest:
        raise _Wrong(f"Write at most {longest:,} characters; these are {len(text):,}.")
    return text


def _line(value: object, longest: int) -> str:
    """Return one line without what cannot be seen. Tags are cleaned in the same way where files get them."""
    return _bounded(one_line(_string(value)), longest)


def _name(value: object) -> str:
    if not (name := _line(value, LONGEST_NAME)):
        raise _Wrong("Give the persona a name.")
    return name


def _text(value: object, longest: int) -> str:
    """Return a text of several lines; invisible joiners stay, which some scripts need."""
    text = _string(value).replace("\r\n", "\n").replace("\r", "\n")
    kept = (char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return _bounded(_DIRECTIONS.sub("", "".join(kept)).strip(), longest)


def _lines(value: object, most: int, longest: int) -> list[str]:
    """Return distinct, non-empty lines, in their order."""
    if not isinstance(value, list | tuple):
        raise _Wrong("Write a list of texts.")
    if len(value) > most:
        raise _Wrong(f"Name at most {most}; these are {len(value)}.")
    return list(dict.fromkeys(filter(None, (_line(one, longest) for one in value))))


def _one_of(value: object, known: tuple[str, ...], *, or_none: bool) -> str:
    text = _string(value)
    if text in known or (or_none and not text):
        return text
    raise _Wrong(f"Choose one of: {', '.join(known)}.")


def _model(value: object) -> str:
    text = _bounded(_string(value).strip(), LONGEST_MODEL)
    if text and not _MODEL.fullmatch(text):
        raise _Wrong("Write the model's name as its provider does: letters, digits and . _ : / @ + ~ - only.")
    return text


def _temperature(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong("Write a number, or nothing.")
    if not 0 <= value <= HIGHEST_TEMPERATURE:  # true of NaN too
        raise _Wrong(f"Write a number from 0 to {HIGHEST_TEMPERATURE:g}.")
    return float(value)


def _kinds(value: object) -> list[str]:
    kinds = _lines(value, len(KINDS), LONGEST_TAG)
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise _Wrong(f"There is no kind {unknown[0]!r}. Choose from: {', '.join(KINDS)}.")
    return kinds


def _terms(value: object) -> list[str]:
    """Return the terms; those that differ in capitals alone are one."""
    terms = _lines(value, MOST_TERMS, LONGEST_TERM)
    return list({term.casefold(): term for term in reversed(terms)}.values())[::-1]


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("Write true or false.")
    return value


_CHECKS: dict[str, Callable[[object], object]] = {
    "name": _name,
    "description": lambda value: _text(value, LONGEST_DESCRIPTION),
    "prompt": lambda value: _text(value, LONGEST_PROMPT),
    "tone": lambda value: _one_of(value, tuple(TONES), or_none=False),
    "mode": lambda value: _one_of(value, modes(), or_none=True),
    "model": _model,
    "temperature": _temperature,
    "tags": lambda value: _lines(value, MOST_TAGS, LONGEST_TAG),
    "kinds": _kinds,
    "blocked_terms": _terms,
    "shared": _yes_or_no,
    "groups": lambda value: _lines(value, MOST_GROUPS, LONGEST_GROUP),
}
