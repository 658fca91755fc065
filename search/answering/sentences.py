"""Text to sentences, and sentences to the words that tell what they say. Pure Python, linear in the text's length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from search.analysis import is_paired, root, sequence

SHORTEST = 20
"""Characters below which a stretch between two full stops says too little to stand alone."""

_END = re.compile(r"[.!?\u2026][\"')\]\u201d\u00bb]{0,3}(?=\s)|[\u3002\uff01\uff1f]")
ABBREVIATIONS = r"[A-Z]|Dr|Mr|Mrs|Ms|Prof|St|vs|etc|Fig|Eq|No|Nr|Vol|pp|cf|al|bzw|ca|approx"
"""What a full stop may stand behind without ending a sentence, for a pattern."""

_ABBREVIATION = re.compile(rf"\b(?:{ABBREVIATIONS})\.$")
_LONGEST_ABBREVIATION = 12


def split(text: str) -> Iterator[str]:
    """Yield the sentences of a text in order, on one line each. A line that goes on in lower case is no end."""
    for block in _blocks(text):
        start = 0
        for match in _END.finditer(block):
            if not _goes_on(block, start, match.end()):
                yield from _said(block[start : match.end()])
                start = match.end()
        yield from _said(block[start:])


def words(text: str) -> frozenset[str]:
    """Return the roots of the words that say something: no short words, but numbers and single characters of Han."""
    return frozenset(ordered_words(text))


def ordered_words(text: str) -> list[str]:
    """Return the same in their order, each as often as it is said."""
    return [
        root(word) for word in sequence(text).split() if len(word) > 3 or any(map(str.isdigit, word)) or is_paired(word)
    ]


def numbers(text: str) -> frozenset[str]:
    """Return the words with digits of a text, uncut: what a sentence must not get wrong."""
    return frozenset(word for word in sequence(text).split() if any(map(str.isdigit, word)))


def _blocks(text: str) -> Iterator[str]:
    """Yield stretches of text that no sentence crosses, with the lines of each joined."""
    lines: list[str] = []
    for line in text.split("\n"):
        stripped = line.strip()
        if lines and not stripped[:1].islower():
            yield " ".join(lines)
            lines = []
        if stripped:
            lines.append(stripped)
    if lines:
        yield " ".join(lines)


def _goes_on(block: str, start: int, end: int) -> bool:
    """Tell whether a full stop ends no sentence: an abbreviation, or what follows begins in lower case."""
    start = max(start, end - _LONGEST_ABBREVIATION)
    return block[end : end + 2].strip()[:1].islower() or _ABBREVIATION.search(block, start, end) is not None


def _said(stretch: str) -> Iterator[str]:
    if said := " ".join(stretch.split()):
        yield said
