"""`private`: the caller's own files, and nothing that leaves the machine or stays behind.

No connection to another machine is possible meanwhile (`orchestra.common.outbound.guard`). Vectors are searched in
PostgreSQL, whatever store is configured; a reranker or a model, of language or of embeddings, is used only where it is
on this machine. The question is in no history, no log and no cache of this process.
"""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.db import connection

from orchestra.common.outbound.guard import closed
from search import hybrid
from search.answering import writing
from search.hybrid import Ways
from search.modes.base import Run, SearchMode, Writer
from search.retrieval import SearchRequest
from search.timing import Stopwatch
from search.vector_stores.pgvector import PgVectorStore


class PrivateMode(SearchMode):
    """Basic's order and an answer, made on this machine alone."""

    name = "private"
    describes = "Nothing leaves this machine, and the question is not kept."
    writer = Writer.LOCAL
    remembered = False

    def run(self, request: SearchRequest) -> Run:
        """Yield sentences; return the result. Drive it in one context."""
        model = request.model if request.model is not None and request.model.local else None
        request = replace(request, model=model)
        connection.ensure_connection()
        with closed(allow_loopback=model is not None):
            watch = Stopwatch()
            ways = Ways(PgVectorStore(exact_rows=settings.SEARCH_EXACT_ROWS), local=True)
            found = hybrid.retrieve(request, watch, ways)
            with watch.step("hits"):
                hits = hybrid.hits_of(request, found)
            written = yield from writing.write(request, found, hits, "answer", watch)
            return self._result(request, found, hits, watch, written)
