"""A look at how many of the exact neighbours an approximate index finds: a canary for `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import connection

from search.owners import facts_of
from search.retrieval import EmbeddedQuery, Scope, Space
from search.vector_stores.pgvector import PgVectorStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OWNERS = """
SELECT owner_id FROM search_indexedfile JOIN accounts_user u ON u.id = owner_id
GROUP BY owner_id ORDER BY sum(chunk_count) DESC LIMIT 1
"""
_SAMPLE = """
SELECT embedding::real[] FROM search_chunkembedding
WHERE space_id = %s AND owner_id = %s AND (document_id, ordinal) IN (
    SELECT number, (random() * (chunk_count - 1))::int FROM search_indexedfile
    WHERE owner_id = %s AND chunk_count > 0 ORDER BY random() LIMIT %s)
"""
_EVERYTHING = 10**12


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the ten exact neighbours of sampled passages that an owner's approximate index finds."""

    owner_id: UUID
    passages: int
    share: float


def recall_of_largest(space: Space, samples: int = 20) -> Recall | None:
    """Measure the index of the owner with most passages; None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS)
        row = cursor.fetchone()
    if row is None or not facts_of(row[0], space).approximate:
        return None
    owner_id = row[0]
    import numpy as np

    with connection.cursor() as cursor:
        cursor.execute(_SAMPLE, [space.id, owner_id, owner_id, samples])
        vectors = [np.asarray(found, np.float32) for (found,) in cursor.fetchall()]
    exact = PgVectorStore(exact_rows=_EVERYTHING)
    usual = PgVectorStore(exact_rows=settings.SEARCH_EXACT_ROWS)
    shares = []
    for vector in vectors:
        wanted, found = (_ten(store, vector, space, owner_id) for store in (exact, usual))
        shares.append(len(wanted & found) / len(wanted))
    passages = facts_of(owner_id, space).passages
    return Recall(owner_id, passages, sum(shares) / len(shares)) if shares else None


def _ten(store: PgVectorStore, vector: NDArray[np.float32], space: Space, owner_id: UUID) -> set[int]:
    found = store.neighbours(EmbeddedQuery(vector, space), Scope(owner_id), 10)
    return {one.passage for one in found}
