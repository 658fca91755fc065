"""Approximate indexes (HNSW) for owners who have very many passages: one for each such owner and nobody else.

An index that several owners share has its candidates taken by all of them before the filter: a small owner then loses
most answers, and one's files change another's results. Everybody else is searched exactly (`vector_stores.pgvector`).
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from search.owners import approximate_index
from search.retrieval import Space

logger = structlog.get_logger(__name__)

LINKS = 24
BUILD_CANDIDATES = 256
"""HNSW's m and ef_construction: what keeps recall@10 above 0.98 for hundreds of thousands of passages."""

_MB = 1024**2
_LEAST_MEMORY = 64 * _MB
_BYTES_A_LINK = 24  # of the 2 * m that a passage has in its lowest layer, while the graph is built in memory
_SIZE = "SELECT coalesce(sum(chunk_count), 0) FROM search_indexedfile WHERE owner_id = %s"
_LARGE = """
SELECT owner_id FROM search_indexedfile JOIN accounts_user u ON u.id = owner_id  -- the trash is no user's
GROUP BY owner_id HAVING sum(chunk_count) > %s ORDER BY sum(chunk_count)
"""
_INDEXES = """
SELECT c.relname, i.indisvalid FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relname LIKE %s AND pg_table_is_visible(c.oid)
"""
_PARTITION = """
SELECT tableoid::regclass::text FROM search_chunkembedding WHERE space_id = %s AND owner_id = %s LIMIT 1
"""
# The expression and the condition are those of the statement in `search.vector_stores.pgvector`.
_CREATE = """
CREATE INDEX {concurrently} {name} ON {partition}
USING hnsw ((embedding::halfvec({dimensions})) halfvec_ip_ops) WITH (m = {links}, ef_construction = {candidates})
WHERE owner_id = '{owner}'::uuid
"""


def build_missing(space: Space, exact_rows: int) -> Iterator[UUID]:
    """Build the index of each owner with more than `exact_rows` passages who has none, yielding the owner when done.

    Outside a transaction nobody waits meanwhile, neither searches nor files that are stored. An index that was left
    half built is built again.
    """
    valid = {name for name, is_valid in _indexes(space) if is_valid}
    with connection.cursor() as cursor:
        cursor.execute(_LARGE, [exact_rows])
        owners = [row[0] for row in cursor.fetchall()]
    for owner_id in owners:
        if approximate_index(owner_id, space) not in valid and _build(owner_id, space):
            yield owner_id


def drop_needless(space: Space, exact_rows: int) -> None:
    """Drop the indexes of owners who have become small again: half the size, so that none comes and goes."""
    with connection.cursor() as cursor:
        cursor.execute(_LARGE, [exact_rows // 2])
        wanted = {approximate_index(row[0], space) for row in cursor.fetchall()}
        for name, _ in _indexes(space):
            if name not in wanted:
                cursor.execute(f"DROP INDEX {_concurrently()} IF EXISTS {name}")
                logger.info("approximate index dropped", index=name)


def _build(owner_id: UUID, space: Space) -> bool:
    name = approximate_index(owner_id, space)
    with connection.cursor() as cursor:
        cursor.execute(_PARTITION, [space.id, owner_id])
        if not (found := cursor.fetchone()):
            return False
        cursor.execute(f"DROP INDEX {_concurrently()} IF EXISTS {name}")
        cursor.execute(_SIZE, [owner_id])
        memory = build_memory(int(cursor.fetchone()[0]), space.dimensions, settings.SEARCH_INDEX_MEMORY)
        cursor.execute(f"SET maintenance_work_mem = '{memory // _MB}MB'")
        try:
            cursor.execute(
                _CREATE.format(
                    concurrently=_concurrently(),
                    name=name,
                    partition=found[0],
                    dimensions=space.dimensions,
                    links=LINKS,
                    candidates=BUILD_CANDIDATES,
                    owner=owner_id,
                )
            )
        finally:
            cursor.execute("RESET maintenance_work_mem")
    logger.info("approximate index built", index=name)
    return True


def build_memory(passages: int, dimensions: int, most: int) -> int:
    """Return the bytes that a graph of so many passages takes while it is built, `most` at most.

    A graph that has outgrown its memory is written row by row from there on, which takes ten times as long.
    """
    a_passage = 2 * dimensions + 2 * LINKS * _BYTES_A_LINK + 512
    return max(_LEAST_MEMORY, min(round(1.2 * passages * a_passage), most))


def _indexes(space: Space) -> list[tuple[str, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES, [rf"search\_hnsw\_{space.id}\_%"])
        return list(cursor.fetchall())


def _concurrently() -> str:
    return "" if connection.in_atomic_block else "CONCURRENTLY"
