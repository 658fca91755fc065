"""`creative`: passages that are unlike one another, in themes, and files that belong together although neither says so.

The order gives up some of how well each passage answers for how much all of them tell. A model looks for ideas in them;
without one, each theme shows its sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search import hybrid, keywords
from search.answering import extractive, writing
from search.answering.answer import Answer, Link
from search.answering.context import flat
from search.answering.extractive import Part
from search.hybrid import Retrieved
from search.modes.base import Run, SearchMode, Writer
from search.ranking.diversity import diversified, grouped
from search.ranking.feedback import candidates, telling
from search.ranking.fusion import Fused
from search.ranking.linking import links
from search.retrieval import Hit, SearchRequest
from search.timing import Stopwatch
from search.vector_stores.reading import vectors_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POOL = 60
"""Passages that the diverse ones are chosen from, at least."""

_MOST_THEMES = 4
_GROUPED = 20  # hits that themes are made of
_NAMES = 3  # words in the name of a theme


class CreativeMode(SearchMode):
    """Diverse and distant passages, themes, links between files."""

    name = "creative"
    describes = "Passages that differ from one another, by theme, and links between files that no file states."
    writer = Writer.USUAL

    def run(self, request: SearchRequest) -> Run:
        """Yield sentences; return the result."""
        watch = Stopwatch()
        found = hybrid.retrieve(request, watch)
        with watch.step("diversify"):
            ranking, vectors = _diverse(request, found)
        with watch.step("hits"):
            hits = hybrid.hits_of(request, found, ranking)
        with watch.step("themes"):
            rarity = _rarity(request, found, hits)
            linked: tuple[Link, ...] = links(hits, found.weights, rarity)
        if request.model is not None and hits:
            written = yield from writing.write(request, found, hits, "ideas", watch)
        else:
            with watch.step("answer"):
                written = writing.Written(_themes(found, hits, vectors, rarity))
            yield from writing.told(written.answer)
        return self._result(request, found, hits, watch, written, links=linked)


def _diverse(request: SearchRequest, found: Retrieved) -> tuple[Sequence[Fused[int]], dict[int, NDArray[np.float32]]]:
    """Return the best passages with those that repeat others left behind, and their vectors, by passage."""
    import numpy as np

    pool = found.ranking[: max(POOL, 3 * request.limit)]
    if found.embedded is None:
        return found.ranking, {}
    vectors = vectors_of([one.id for one in pool], request.scope, found.embedded.space)
    pool = [one for one in pool if one.id in vectors]
    if not pool:
        return found.ranking, {}
    rows = np.stack([vectors[one.id] for one in pool])
    first = [pool[place] for place in diversified([one.score for one in pool], rows, len(pool))]
    taken = {one.id for one in first}
    return [*first, *(one for one in found.ranking if one.id not in taken)], vectors


def _rarity(request: SearchRequest, found: Retrieved, hits: Sequence[Hit]) -> dict[str, float]:
    texts = [hit.text for hit in flat(hits)]
    words = candidates(texts, " ".join([found.text, *found.weights]))
    return keywords.rarity(words, request.scope) if words else {}


def _themes(
    found: Retrieved,
    hits: Sequence[Hit],
    vectors: dict[int, NDArray[np.float32]],
    rarity: dict[str, float],
) -> Answer | None:
    """Return the best sentences of each group of passages, under the words that tell it from the others."""
    import numpy as np

    every, sought = flat(hits), writing.sought_by(found)
    places = [place for place, hit in enumerate(every[:_GROUPED]) if hit.passage in vectors]
    if not places:
        return extractive.answer(every, sought, writing.thresholds())
    groups = grouped(np.stack([vectors[every[place].passage] for place in places]), _MOST_THEMES)
    parts = []
    for group in groups:
        own = [places[row] for row in group]
        texts = [every[place].text for place in own]
        others = [every[place].text for place in places if place not in own]
        parts.append(Part(", ".join(telling(texts, rarity, _NAMES, others)) or every[own[0]].file_name, own, sought))
    return extractive.in_parts(every, parts, writing.thresholds())
