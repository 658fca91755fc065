"""Exact nearest neighbours in PostgreSQL: a scan over the owner's rows, found by b-tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection

from search.retrieval import Scope
from search.scopes import condition
from search.vector_stores.base import Neighbour, VectorStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Ordered by an expression that no approximate index answers: what is found stays exact, and PostgreSQL may still share
# the scan among its workers, each with the best of its part.
_NEAREST = """
SELECT chunk_id, -(embedding <#> %(query)s::halfvec) AS cosine
FROM search_chunkembedding WHERE {scope}
ORDER BY cosine DESC, chunk_id
LIMIT %(limit)s
"""
_SCORES = """
SELECT chunk_id, -(embedding <#> %(query)s::halfvec)
FROM search_chunkembedding WHERE {scope} AND chunk_id = ANY(%(chunk_ids)s)
"""


class PgVectorStore(VectorStore):
    """The default store, and the truth."""

    def nearest(self, query: NDArray[np.float32], scope: Scope, limit: int) -> list[Neighbour]:
        """Return the nearest passages, exactly."""
        sql, parameters = condition(scope)
        with connection.cursor() as cursor:
            cursor.execute(_NEAREST.format(scope=sql), {**parameters, "query": _literal(query), "limit": limit})
            return [Neighbour(chunk_id, float(score)) for chunk_id, score in cursor.fetchall()]

    def scores(self, query: NDArray[np.float32], scope: Scope, chunk_ids: Sequence[UUID]) -> dict[UUID, float]:
        """Return cosines of given passages."""
        if not chunk_ids:
            return {}
        sql, parameters = condition(scope)
        with connection.cursor() as cursor:
            values = {**parameters, "query": _literal(query), "chunk_ids": list(chunk_ids)}
            cursor.execute(_SCORES.format(scope=sql), values)
            return {chunk_id: float(score) for chunk_id, score in cursor.fetchall()}


def _literal(vector: NDArray[np.float32]) -> str:
    return "[" + ",".join(f"{value:.7g}" for value in vector) + "]"
