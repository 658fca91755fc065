"""`basic`: hybrid search. Vectors and words each bring their best passages; both scores of all of them are fused."""

from __future__ import annotations

from search import hybrid
from search.modes.base import Run, SearchMode
from search.retrieval import SearchRequest, SearchResult
from search.timing import Stopwatch


class BasicMode(SearchMode):
    """Meaning and words, fused by min-max over the union of both sides' candidates."""

    name = "basic"
    describes = "The best passages by meaning and by word, within milliseconds."

    def run(self, request: SearchRequest) -> Run:
        """Return the fused best passages; there is nothing to show before."""
        yield from ()
        watch = Stopwatch()
        found = hybrid.retrieve(request, watch)
        with watch.step("hits"):
            hits = hybrid.hits_of(request, found)
        explanation = hybrid.explained(request, found)
        return SearchResult(request.query, self.name, hits, watch.milliseconds(), found.notes, explanation)
