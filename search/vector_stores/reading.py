"""Vectors of passages that are known already, from PostgreSQL, which has all of them whatever store is searched."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db import connection

from search.retrieval import Scope, Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VECTORS = """
SELECT p.passage, e.embedding::real[]
FROM unnest(%(passages)s::bigint[]) AS p (passage) JOIN search_chunkembedding e
  ON e.document_id = p.passage >> 24 AND e.ordinal = (p.passage & 16777215)
WHERE e.space_id = %(space)s AND e.owner_id = %(owner)s
"""


def vectors_of(passages: Collection[int], scope: Scope, space: Space) -> dict[int, NDArray[np.float32]]:
    """Return the unit vectors of an owner's passages, by number; one that the space does not have is left out."""
    import numpy as np

    with connection.cursor() as cursor:
        cursor.execute(_VECTORS, {"passages": list(passages), "space": space.id, "owner": scope.owner_id})
        return {passage: np.array(vector, np.float32) for passage, vector in cursor.fetchall()}
