"""`basic`: hybrid search. Vectors and words each bring their best passages; both scores of all of them are fused."""

from __future__ import annotations

from uuid import UUID

from search.embedders import embedders
from search.errors import EmptyQuery
from search.hits import build_hits
from search.keyword_retrieval import retrieve
from search.keywords import KeywordScores
from search.modes.base import SearchMode
from search.ranking.fusion import Candidate, fuse
from search.ranking.query_syntax import parse_query
from search.retrieval import SearchRequest, SearchResult
from search.timing import Stopwatch
from search.vector_stores import vector_stores

_BESIDE_EXCLUDED = 3  # vectors do not know which passages have an excluded word: they bring more to choose from


class BasicMode(SearchMode):
    """Meaning and words, fused by min-max over the union of both sides' candidates."""

    name = "basic"

    def search(self, request: SearchRequest) -> SearchResult:
        """Return the fused best passages."""
        watch = Stopwatch()
        parsed = parse_query(request.query)
        if not parsed.text:
            raise EmptyQuery
        depth = max(request.tuning.depth, request.limit)
        with watch.step("embed"):
            query = embedders["default"].embed_query(parsed.text)
        store = vector_stores["default"]
        with watch.step("vectors"):
            near = store.nearest(query, request.scope, depth * _BESIDE_EXCLUDED if parsed.excluded else depth)
        with watch.step("keywords"):
            words = retrieve(parsed, request.scope, depth, [n.chunk_id for n in near])
        with watch.step("fuse"):
            cosines = {n.chunk_id: n.score for n in near if n.chunk_id not in words.dropped}
            missing = [chunk_id for chunk_id in words.ranked if chunk_id not in cosines]
            cosines |= store.scores(query, request.scope, missing)
            fused = fuse(_candidates(cosines, words), vector_weight=request.tuning.weight)[: request.limit]
        with watch.step("hits"):
            hits = build_hits(request, fused)
        return SearchResult(request.query, self.name, hits, watch.milliseconds())


def _candidates(cosines: dict[UUID, float], words: KeywordScores) -> list[Candidate[UUID]]:
    return [Candidate(chunk_id, cosine, words.scores.get(chunk_id, 0.0)) for chunk_id, cosine in cosines.items()]
