"""What was found to the words that the next question is made of, and to the name of a group of passages. Pure Python.

A word says something of passages when several of them have it and few others do. How rare it is in the library is the
caller's to know.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from search.analysis import normalised, root, sequence

MOST_WORDS = 120
"""Words whose rarity is worth asking for."""

_SHORTEST = 4
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][\w-]{2,}")
_OF_A_NAME = 1.5


def candidates(texts: Sequence[str], without: str) -> list[str]:
    """Return the words of the texts that are not those of `without`, those of the most texts first."""
    known = {root(word) for word in sequence(without).split()}
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({word for word in sequence(text).split() if _says_something(word) and root(word) not in known})
    return sorted(counts, key=lambda word: (-counts[word], word))[:MOST_WORDS]


def telling(texts: Sequence[str], rarity: Mapping[str, float], most: int, against: Sequence[str] = ()) -> list[str]:
    """Return the words of `rarity` that tell the texts best from everything else, no two of one root.

    A word counts by the share of the texts that have it, less that of the texts `against`; names count more.
    """
    own, other = _having(texts), _having(against)
    names = {normalised(name).lower() for text in texts for name in _NAME.findall(text)}

    def worth(word: str) -> float:
        share = own[word] / max(1, len(texts)) - other[word] / max(1, len(against))
        return share * rarity[word] * (_OF_A_NAME if word in names else 1.0)

    ranked = sorted((word for word in rarity if worth(word) > 0), key=lambda word: (-worth(word), word))
    roots: dict[str, str] = {}
    for word in ranked:
        roots.setdefault(root(word), word)
    return list(roots.values())[:most]


def _says_something(word: str) -> bool:
    return len(word) >= _SHORTEST and not word.isdigit()


def _having(texts: Collection[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(sequence(text).split()))
    return counts
