"""A question to its parts: quoted phrases, `-word`, `prefix*`, and the rest.

Before the keyword retrieval, which must match phrases and must not match what is excluded. The rest are alternatives,
since requiring every word of a natural question finds almost nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f\uff02", '"'))
_MINUS = "-\u2212\uff0d"
_PART = re.compile(rf'(?P<minus>(?<!\S)[{_MINUS}])?"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)|"')
_EXCLUDED = re.compile(rf"[{_MINUS}]+(?=[^\W\d_])")
_PREFIX = re.compile(r"[^\W_][\w.@/-]*\w\*+")


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The parts of a question. `text`, the question without what it excludes and without its signs, is left to embed.

    `excluded` holds words and, where they were quoted, phrases. `prefixes` come without their star.
    """

    text: str
    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


def parse_query(query: str) -> ParsedQuery:
    """Split a question. Nothing raises: a lone quotation mark, dash or star means nothing.

    A dash before a digit is a minus. A question of nothing but excluded words has no `text`.
    """
    parts: dict[str, list[str]] = {"words": [], "phrases": [], "prefixes": [], "excluded": []}
    kept: list[str] = []
    for match in _PART.finditer(query.translate(_QUOTES)):
        kind, text = _part(match)
        if text:
            parts[kind].append(text)
            kept.extend([] if kind == "excluded" else [text])
    return ParsedQuery(" ".join(kept), **{kind: tuple(found) for kind, found in parts.items()})


def _part(match: re.Match[str]) -> tuple[str, str]:
    word = match["word"] or ""
    if match["phrase"] is not None:
        return "excluded" if match["minus"] else "phrases", " ".join(match["phrase"].split())
    if dashes := _EXCLUDED.match(word):
        return "excluded", word[dashes.end() :].rstrip("*")
    if _PREFIX.fullmatch(word):
        return "prefixes", word.rstrip("*")
    return "words", word
