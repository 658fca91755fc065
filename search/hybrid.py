"""The retrieval that every mode begins with: both sides' candidates of a question in one fused order, and its hits.

Between `search.modes` and `candidates`, `ranking.fusion`, `reranking`, `hits`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from orchestra.common.outbound.errors import OutboundRefused
from search import questions
from search.candidates import Candidates, find
from search.errors import EmptyQuery
from search.explaining import explanation_of
from search.hits import build_hits
from search.indexing.embedding import EmbeddingModelUnavailable
from search.ranking.fusion import Candidate, Fused, fuse
from search.ranking.query_syntax import parse_query
from search.reranking import read_again
from search.retrieval import EmbeddedQuery, Explanation, Hit, SearchRequest
from search.spaces import ModelNotConfigured
from search.vector_stores import vector_stores

if TYPE_CHECKING:
    from search.timing import Stopwatch
    from search.vector_stores.base import VectorStore


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a question found: its passages in order, its words' weights, and what it was compared with.

    `text` is the question without its signs; `scores` are the reranker's, by passage, and `reranker` its name.
    """

    text: str
    ranking: Sequence[Fused[int]]
    candidates: Candidates
    embedded: EmbeddedQuery | None
    notes: tuple[str, ...] = ()
    scores: Mapping[int, float] = field(default_factory=dict)
    reranker: str = ""

    @property
    def weights(self) -> dict[str, float]:
        """What each lexeme of the question weighs."""
        return self.candidates.weights


@dataclass(frozen=True, slots=True)
class Ways:
    """How passages are found: in which store, and by what is allowed to see the question."""

    store: VectorStore | None = None
    local: bool = False


USUAL = Ways()


def retrieve(request: SearchRequest, watch: Stopwatch, ways: Ways = USUAL) -> Retrieved:
    """Return the fused best passages, read again where a reranker is configured. Raises EmptyQuery."""
    return read(request, find_passages(request, watch, ways), watch, ways)


def find_passages(request: SearchRequest, watch: Stopwatch, ways: Ways = USUAL) -> Retrieved:
    """Return the fused best passages, as no reranker has read them. Raises EmptyQuery."""
    parsed = parse_query(request.query)
    if not parsed.text:
        raise EmptyQuery
    with watch.step("embed"):
        embedded, notes = _embedded(parsed.text, private=ways.local)
    with watch.step("retrieve"):
        depth = max(request.tuning.depth, request.limit)
        store = ways.store or vector_stores["default"]
        candidates = find(parsed, request.scope, depth, embedded, store)
    with watch.step("fuse"):
        ranking = fused(candidates, request.tuning.weight)
    return Retrieved(parsed.text, ranking, candidates, embedded, notes)


def find_again(request: SearchRequest, query: str, watch: Stopwatch) -> Sequence[Fused[int]]:
    """Return the order of another question in the same scope; empty where nothing of it can be looked for."""
    try:
        return find_passages(replace(request, query=query), watch).ranking
    except EmptyQuery:
        return []


def read(request: SearchRequest, found: Retrieved, watch: Stopwatch, ways: Ways = USUAL) -> Retrieved:
    """Return what was found in the reranker's order, where one is configured."""
    with watch.step("rerank"):
        again = read_again(request, found.text, found.ranking, local=ways.local)
    notes = found.notes + again.notes
    return replace(found, ranking=again.ranking, scores=again.scores, reranker=again.name, notes=notes)


def hits_of(request: SearchRequest, found: Retrieved, ranking: Sequence[Fused[int]] | None = None) -> tuple[Hit, ...]:
    """Return the hits of what was found, in its order or in another one."""
    return build_hits(request, found.ranking if ranking is None else ranking, found.weights, found.scores)


def explained(request: SearchRequest, found: Retrieved) -> Explanation | None:
    """Return how the ranking came about, where that was asked for."""
    return explanation_of(request, found.candidates, found.reranker) if request.explain else None


def fused(candidates: Candidates, weight: float) -> list[Fused[int]]:
    """Return the candidates in the order of both scores together."""
    return fuse(
        [Candidate(one.passage, one.cosine, one.keyword) for one in candidates.found],
        vector_weight=weight,
    )


def _embedded(text: str, *, private: bool) -> tuple[EmbeddedQuery | None, tuple[str, ...]]:
    """Return the question's vector, or none and why: words alone are better than no answer."""
    try:
        return questions.embed(text, private=private), ()
    except (ModelNotConfigured, EmbeddingModelUnavailable, OutboundRefused) as error:
        return None, (f"Searched by words alone. {error.message}",)
