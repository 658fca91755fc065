"""Nearest neighbours in PostgreSQL: exact up to a size, by an index of the owner's own beyond it.

Our code decides by what is measured, not the planner by what it estimates: a filter that is applied after an
approximate index has chosen its candidates loses most of the answers of a small share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.owners import facts_of, size_of
from search.retrieval import EmbeddedQuery, Scope
from search.scopes import document_condition, parameters_of
from search.vector_stores.base import Nearest, VectorStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Ordered by an expression that no approximate index answers: what is found stays exact.
_EXACT = """
SELECT (document_id << 24) + ordinal AS passage, -(embedding <#> %(vector)s::halfvec) AS cosine
FROM search_chunkembedding WHERE space_id = %(space)s AND {documents}
ORDER BY cosine DESC, passage LIMIT %(near)s
"""
# The expression and the condition are those of the owner's index (`search.indexing.approximate`).
_APPROXIMATE = """
SELECT (document_id << 24) + ordinal AS passage, -(embedding::halfvec({dimensions}) <#> %(vector)s::halfvec) AS cosine
FROM search_chunkembedding WHERE space_id = %(space)s AND {documents}
ORDER BY embedding::halfvec({dimensions}) <#> %(vector)s::halfvec LIMIT %(near)s
"""
_LARGE_SHARE = 0.2  # of an owner's passages; for less, an exact scan of the scope takes less time than the index


class PgVectorStore(VectorStore):
    """The default store, and the truth."""

    def __init__(self, *, exact_rows: int = 20_000, candidates: int = 400) -> None:
        """Take how many rows are compared one by one, and how many an index looks at (`ef_search`)."""
        self._exact_rows = exact_rows
        self._candidates = candidates

    def nearest(self, query: EmbeddedQuery, scope: Scope, limit: int) -> Nearest:
        """Return the nearest passages: exactly, or by the owner's index where the scope is large and there is one."""
        parameters = {
            **parameters_of(scope),
            "vector": literal(query.vector),
            "space": query.space.id,
            "near": limit,
        }
        documents = document_condition(scope)
        if not self._approximately(query, scope):
            return Nearest(_EXACT.format(documents=documents), parameters, method="exact")
        settings = {
            "hnsw.ef_search": str(max(self._candidates, limit)),
            "hnsw.iterative_scan": "relaxed_order",
            "enable_sort": "off",  # the index gives the order: no estimate may talk the planner out of it
        }
        sql = _APPROXIMATE.format(documents=documents, dimensions=query.space.dimensions)
        return Nearest(sql, parameters, settings, method="hnsw")

    def _approximately(self, query: EmbeddedQuery, scope: Scope) -> bool:
        facts = facts_of(scope.owner_id, query.space)
        if facts.passages <= self._exact_rows or not facts.approximate:
            return False
        size = size_of(scope) if scope.narrowed else facts.passages
        return size > self._exact_rows and size >= _LARGE_SHARE * facts.passages


def literal(vector: NDArray[np.float32]) -> str:
    """Return a vector as PostgreSQL reads it."""
    return "[" + ",".join(map("%.5g".__mod__, vector.tolist())) + "]"
