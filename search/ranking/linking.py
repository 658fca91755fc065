"""Files among the hits that belong together although neither says all: a rare word in both, different answers. Pure.

After hits are built. Swanson's way of finding what nobody wrote down: one text has A and B, another one B and C.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from search.analysis import sequence
from search.answering.answer import Link
from search.ranking.highlighting import terms_in
from search.retrieval import Hit

MOST_LINKS = 5
_MOST_FILES = 12
_MOST_TERMS = 3
_RARE = 1.6  # a word that at most a fifth of all passages have
_RARE_HERE = 0.6  # of the rarest word's weight: in a small library no word is that rare


@dataclass(frozen=True, slots=True)
class _File:
    best: Hit
    answers: frozenset[str]
    words: frozenset[str]


def links(hits: Sequence[Hit], terms: Collection[str], rarity: Mapping[str, float]) -> tuple[Link, ...]:
    """Return pairs of files that share rare words, each with a term of the question that the other one lacks.

    `rarity` holds the words that may link them; those of the question are not among them.
    """
    found: list[tuple[float, Link]] = []
    least = min(_RARE, _RARE_HERE * max(rarity.values(), default=0.0))
    rare = {word for word, weight in rarity.items() if weight >= least}
    for one, two in combinations(_files(hits, terms), 2):
        shared = one.words & two.words & rare
        if shared and one.answers - two.answers and two.answers - one.answers:
            best = sorted(shared, key=lambda word: (-rarity[word], word))[:_MOST_TERMS]
            found.append((sum(rarity[word] for word in best), _link(one.best, two.best, best)))
    found.sort(key=lambda pair: -pair[0])
    return tuple(link for _, link in found[:MOST_LINKS])


def _files(hits: Sequence[Hit], terms: Collection[str]) -> list[_File]:
    by_file: dict[UUID, list[Hit]] = {}
    for hit in hits:
        by_file.setdefault(hit.file_id, []).append(hit)
    return [
        _File(
            own[0],
            frozenset().union(*(terms_in(hit.text, terms) for hit in own)),
            frozenset(word for hit in own for word in sequence(hit.text).split()),
        )
        for own in list(by_file.values())[:_MOST_FILES]
    ]


def _link(one: Hit, two: Hit, terms: Sequence[str]) -> Link:
    return Link((one.file_id, two.file_id), (one.file_name, two.file_name), tuple(terms), (one.chunk_id, two.chunk_id))
