"""Where vectors lie: a table for each space, in it a partition for each hash of an owner.

An owner's vectors lie together with those of one owner in 32: a scan of them reads little else, and an index over them
is built for one owner alone. Before it: `search.models.EmbeddingSpace`. After it: `search.vector_stores.pgvector`.
"""

from __future__ import annotations

from django.db import connection

PARTITIONS = 32

# Stored plain: a vector outside of its row is read five times as slowly. Fixed texts and numbers only.
_CREATE = """
DROP TABLE IF EXISTS {space};
CREATE TABLE {space} (LIKE search_chunkembedding INCLUDING STORAGE) PARTITION BY HASH (owner_id);
ALTER TABLE {space} ADD PRIMARY KEY (document_id, ordinal, owner_id);
CREATE INDEX ON {space} (owner_id);
"""
_PARTITION = """
CREATE TABLE {space}_{number} PARTITION OF {space} FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number})
"""
_ATTACH = "ALTER TABLE search_chunkembedding ATTACH PARTITION {space} FOR VALUES IN ({number})"


def table_of(space_id: int) -> str:
    """Return the name of the table that holds a space's vectors."""
    return f"search_vectors_{int(space_id)}"


def create(space_id: int) -> None:
    """Make the empty tables of a new space. Locks the table of all vectors for a moment."""
    space = table_of(space_id)
    statements = [_CREATE.format(space=space)]
    statements += [_PARTITION.format(space=space, number=number, partitions=PARTITIONS) for number in range(PARTITIONS)]
    with connection.cursor() as cursor:
        cursor.execute(";".join([*statements, _ATTACH.format(space=space, number=int(space_id))]))


def drop(space_id: int) -> None:
    """Remove a space's vectors at once, however many they are, in the caller's transaction.

    Raises OperationalError where somebody else has been reading vectors for seconds: whoever waits for them longer has
    every later search wait behind.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute(f"DROP TABLE IF EXISTS {table_of(space_id)}")
