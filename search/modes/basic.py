"""`basic`: hybrid search. Vectors and words each bring their best passages; both scores of all of them are fused."""

from __future__ import annotations

from uuid import UUID

from search import keywords
from search.embedders import embedders
from search.hits import build_hits
from search.keywords import KeywordScores
from search.modes.base import SearchMode
from search.ranking.fusion import Candidate, fuse
from search.retrieval import SearchRequest, SearchResult
from search.timing import Stopwatch
from search.vector_stores import vector_stores


class BasicMode(SearchMode):
    """Meaning and words, fused by min-max over the union of both sides' candidates."""

    name = "basic"

    def search(self, request: SearchRequest) -> SearchResult:
        """Return the fused best passages."""
        watch = Stopwatch()
        depth = max(request.tuning.depth, request.limit)
        with watch.step("embed"):
            query = embedders["default"].embed_query(request.query)
        store = vector_stores["default"]
        with watch.step("vectors"):
            near = store.nearest(query, request.scope, depth)
        with watch.step("keywords"):
            words = keywords.best_by_words(request.query, request.scope, depth, [n.chunk_id for n in near])
        with watch.step("fuse"):
            cosines = {n.chunk_id: n.score for n in near}
            missing = [chunk_id for chunk_id in words.ranked if chunk_id not in cosines]
            cosines |= store.scores(query, request.scope, missing)
            fused = fuse(_candidates(cosines, words), vector_weight=request.tuning.weight)[: request.limit]
        with watch.step("hits"):
            hits = build_hits(request, fused)
        return SearchResult(request.query, self.name, hits, watch.milliseconds())


def _candidates(cosines: dict[UUID, float], words: KeywordScores) -> list[Candidate[UUID]]:
    return [Candidate(chunk_id, cosine, words.scores.get(chunk_id, 0.0)) for chunk_id, cosine in cosines.items()]
