"""A question to its keywords: quoted phrases, `-word`, and the rest.

Before the keyword retrieval, which must match phrases and must not match excluded words; the rest are alternatives,
since requiring every word of a natural question finds almost nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTES = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb", '"""""')
_PART = re.compile(r'"([^"]*)"|([^\s"]+)|"')


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The parts of a question, in its order. `text`, the question without its excluded words, is left to embed."""

    words: tuple[str, ...]
    phrases: tuple[str, ...]
    excluded: tuple[str, ...]
    text: str


def parse_query(query: str) -> ParsedQuery:
    """Split a question. A quotation mark without its partner, and a dash alone, mean nothing; nothing raises."""
    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    kept: list[str] = []
    for match in _PART.finditer(query.translate(_QUOTES)):
        phrase, word = " ".join((match[1] or "").split()), match[2] or ""
        if word.startswith("-"):
            excluded.extend(filter(None, [word.lstrip("-")]))
            continue
        (phrases if phrase else words).extend(filter(None, [phrase or word]))
        kept.extend(filter(None, [phrase or word]))
    return ParsedQuery(tuple(words), tuple(phrases), tuple(excluded), " ".join(kept))
