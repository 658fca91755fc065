"""An answer without a language model: the sentences of the hits that answer best, each with its citation.

A sentence is worth what the question's words in it weigh, and how near its meaning is to the question's. What says the
same as a sentence that was taken is passed over, overlapping passages for one. They are given in the order of the hits,
those of one file in the order of its text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from search.answering.answer import Answer, AnswerKind, Sentence
from search.answering.citations import Checker, Embed, Thresholds
from search.answering.sentences import SHORTEST, split, words
from search.ranking.highlighting import folded, terms_in
from search.retrieval import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_SENTENCES = 5
LONGEST = 400
_PASSAGES = 10
_OF_A_PASSAGE = 40
_COMPARED = 24  # sentences whose meaning is looked at: a millisecond or more each
_SAME = 0.7  # share of words that two sentences have in common
_SAME_MEANING = 0.92
_LEAST = 0.35  # of the best sentence's worth


@dataclass(frozen=True, slots=True)
class Sought:
    """What sentences are looked for: what its words weigh, by lexeme, and its vector, None where there is no model."""

    weights: Mapping[str, float]
    vector: NDArray[np.float32] | None = None
    embed: Embed | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence of a hit: `source` counts the hits from 0, `place` the sentences of all of them."""

    text: str
    source: int
    place: int
    worth: float


def answer(hits: Sequence[Hit], sought: Sought, thresholds: Thresholds, *, most: int = MOST_SENTENCES) -> Answer | None:
    """Return the best sentences of the hits; None where there are none."""
    said = tuple(sentences_of(hits, sought, thresholds, most=most))
    if not said:
        return None
    return Answer(AnswerKind.EXTRACTIVE, said, Checker(hits, thresholds).citations(said))


@dataclass(frozen=True, slots=True)
class Part:
    """Those hits, by their place from 0, that a section of an answer is made of, and its heading."""

    section: str
    places: Sequence[int]
    sought: Sought
    most: int = 2


def in_parts(hits: Sequence[Hit], parts: Iterable[Part], thresholds: Thresholds) -> Answer | None:
    """Return an answer with a section for each part that says something of its own; None where none does."""
    said: list[Sentence] = []
    for part in parts:
        new = sentences_of(hits, part.sought, thresholds, most=part.most, section=part.section, places=part.places)
        said += [one for one in new if not any(_alike(one.text, other.text) for other in said)]
    if not said:
        return None
    return Answer(AnswerKind.EXTRACTIVE, tuple(said), Checker(hits, thresholds).citations(said))


def sentences_of(
    hits: Sequence[Hit],
    sought: Sought,
    thresholds: Thresholds,
    *,
    most: int = MOST_SENTENCES,
    section: str = "",
    places: Sequence[int] | None = None,
) -> Iterator[Sentence]:
    """Yield the best sentences of the hits, or of those at `places`; each cites its hit by its place, from 1."""
    checker = Checker(hits, thresholds)
    gathered = _gathered(hits, range(len(hits)) if places is None else places)
    for one in _in_reading_order(_distinct(_weighed(gathered, sought), sought, most), hits):
        sentence = checker.checked(one.text, [one.source + 1], section)
        if sentence.supported:
            yield sentence


def _gathered(hits: Sequence[Hit], places: Sequence[int]) -> Iterator[_Said]:
    place = 0
    for source in places[:_PASSAGES]:
        for text in list(split(hits[source].text))[:_OF_A_PASSAGE]:
            place += 1
            if SHORTEST <= len(text) <= LONGEST or (len(text) <= LONGEST and not text.isascii()):
                yield _Said(text, source, place, 0.0)


def _weighed(said: Iterable[_Said], sought: Sought) -> list[_Said]:
    """Return the sentences whose words weigh most, with what they are worth, best first."""
    weights = {folded(term): weight for term, weight in sought.weights.items()}
    whole = math.fsum(weights.values()) or 1.0
    by_words = [
        _Said(one.text, one.source, one.place, math.fsum(weights[t] for t in terms_in(one.text, weights)) / whole)
        for one in said
    ]
    by_words.sort(key=lambda one: (-one.worth, one.place))
    head = by_words[:_COMPARED]
    if sought.embed is not None and sought.vector is not None and head:
        cosines = (sought.embed([one.text for one in head]) @ sought.vector).tolist()
        head = [
            _Said(one.text, one.source, one.place, (one.worth + cosine) / 2)
            for one, cosine in zip(head, cosines, strict=True)
        ]
    return sorted(head, key=lambda one: (-one.worth, one.place))


def _distinct(said: Sequence[_Said], sought: Sought, most: int) -> list[_Said]:
    """Return the first that say something of their own and are worth it."""
    kept: list[_Said] = []
    for one in said:
        if len(kept) >= most or one.worth <= 0 or one.worth < _LEAST * said[0].worth:
            break
        if not any(_alike(one.text, other.text) for other in kept):
            kept.append(one)
    if sought.embed is None or len(kept) < 2:
        return kept
    vectors = sought.embed([one.text for one in kept])
    cosines = vectors @ vectors.T
    return [one for row, one in enumerate(kept) if not (cosines[row, :row] > _SAME_MEANING).any()]


def _alike(text: str, other: str) -> bool:
    one, two = words(text), words(other)
    return text == other or (bool(one and two) and len(one & two) / min(len(one), len(two)) > _SAME)


def _in_reading_order(said: Iterable[_Said], hits: Sequence[Hit]) -> list[_Said]:
    first: dict[UUID, int] = {}
    for place, hit in enumerate(hits):
        first.setdefault(hit.file_id, place)
    return sorted(said, key=lambda one: (first[hits[one.source].file_id], hits[one.source].ordinal, one.place))
