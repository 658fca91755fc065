"""`basic`: hybrid search. Vectors and words each bring their best passages; both scores of all of them are fused."""

from __future__ import annotations

from search import questions
from search.candidates import Candidates, find
from search.errors import EmptyQuery
from search.explaining import explanation_of
from search.hits import build_hits
from search.indexing.embedding import EmbeddingModelUnavailable
from search.modes.base import SearchMode
from search.ranking.fusion import Candidate, Fused, fuse
from search.ranking.query_syntax import parse_query
from search.retrieval import EmbeddedQuery, SearchRequest, SearchResult
from search.spaces import ModelNotConfigured
from search.timing import Stopwatch
from search.vector_stores import vector_stores


class BasicMode(SearchMode):
    """Meaning and words, fused by min-max over the union of both sides' candidates."""

    name = "basic"

    def search(self, request: SearchRequest) -> SearchResult:
        """Return the fused best passages."""
        watch = Stopwatch()
        parsed = parse_query(request.query)
        if not parsed.text:
            raise EmptyQuery
        with watch.step("embed"):
            embedded, notes = _embedded(parsed.text)
        with watch.step("retrieve"):
            depth = max(request.tuning.depth, request.limit)
            candidates = find(parsed, request.scope, depth, embedded, vector_stores["default"])
        with watch.step("fuse"):
            ranking = fused(candidates, request.tuning.weight)
        with watch.step("hits"):
            hits = build_hits(request, ranking, candidates.weights)
        explanation = explanation_of(request, candidates) if request.explain else None
        return SearchResult(request.query, self.name, hits, watch.milliseconds(), notes, explanation)


def fused(candidates: Candidates, weight: float) -> list[Fused[int]]:
    """Return the candidates in the order of both scores together."""
    return fuse(
        [Candidate(one.passage, one.cosine, one.keyword) for one in candidates.found],
        vector_weight=weight,
    )


def _embedded(text: str) -> tuple[EmbeddedQuery | None, tuple[str, ...]]:
    """Return the question's vector, or none and why: words alone are better than no answer."""
    try:
        return questions.embed(text), ()
    except (ModelNotConfigured, EmbeddingModelUnavailable) as error:
        return None, (f"Searched by words alone. {error.message}",)
