"""`uncensored`: nothing is masked and nothing left out, for those who may. It never widens whose files are read."""

from __future__ import annotations

from dataclasses import replace

from search import hybrid
from search.answering import writing
from search.filtering import UNFILTERED
from search.modes.base import Run, SearchMode, Writer
from search.retrieval import SearchRequest
from search.timing import Stopwatch


class UncensoredMode(SearchMode):
    """Basic's order, as the files have it, and an answer by a model of its own."""

    name = "uncensored"
    describes = "Nothing is masked or left out. Each such search is recorded."
    writer = Writer.UNCENSORED
    permission = "search.search_uncensored"

    def run(self, request: SearchRequest) -> Run:
        """Yield sentences; return the result."""
        request = replace(request, filter=UNFILTERED)
        watch = Stopwatch()
        found = hybrid.retrieve(request, watch)
        with watch.step("hits"):
            hits = hybrid.hits_of(request, found)
        written = yield from writing.write(request, found, hits, "uncensored", watch)
        return self._result(request, found, hits, watch, written)
