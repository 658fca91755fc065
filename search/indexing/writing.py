"""Puts a file's passages, vectors and words into the database, in the caller's transaction: all of them or none."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg.types.json import Jsonb

from files.findings import place_as_json
from files.models import FileRecord
from search.indexing.spool import ChunkSpool
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, VectorChunk

_COPY_CHUNKS = """
COPY search_vectorchunk (id, file_id, owner_id, generation, ordinal, text, place, token_count)
FROM STDIN (FORMAT BINARY)
"""
_COPY_EMBEDDINGS = "COPY search_chunkembedding (chunk_id, owner_id, file_id, embedding) FROM STDIN (FORMAT BINARY)"

# A word's postings are cut into rows of 1,024 passages, so that no row grows with the file.
_POSTINGS = """
INSERT INTO search_keywordposting (owner_id, file_id, lexeme, ordinals, frequencies, lengths)
WITH words AS (
    SELECT c.ordinal, t.lexeme, cardinality(t.positions) AS frequency
    FROM search_vectorchunk c CROSS JOIN LATERAL unnest(to_tsvector(%(config)s::regconfig, c.text)) AS t
    WHERE c.file_id = %(file)s
), lengths AS (
    SELECT ordinal, sum(frequency)::int AS length FROM words GROUP BY ordinal
)
SELECT %(owner)s, %(file)s, w.lexeme, array_agg(w.ordinal ORDER BY w.ordinal),
       array_agg(w.frequency ORDER BY w.ordinal), array_agg(l.length ORDER BY w.ordinal)
FROM words w JOIN lengths l USING (ordinal)
GROUP BY w.lexeme, w.ordinal / 1024
"""
_LEXEME_COUNT = """
SELECT coalesce(sum(f), 0) FROM search_keywordposting p CROSS JOIN LATERAL unnest(p.frequencies) AS f
WHERE p.file_id = %s
"""


def replace(file: FileRecord, generation: int, spool: ChunkSpool, model_id: str) -> None:
    """Replace everything the index holds of `file` by the spooled chunks."""
    remove(file.pk)
    _copy_chunks(file, generation, spool)
    _copy_embeddings(file, spool)
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"config": settings.TEXT_SEARCH_CONFIG, "owner": file.owner_id, "file": file.pk}
        cursor.execute(_POSTINGS, values)
        cursor.execute(_LEXEME_COUNT, [file.pk])
        lexeme_count = cursor.fetchone()[0]
    IndexedFile.objects.create(
        file=file,
        owner_id=file.owner_id,
        generation=generation,
        model_id=model_id,
        chunk_count=spool.count,
        lexeme_count=lexeme_count,
    )


def remove(file_id: UUID) -> None:
    """Remove everything the index holds of a file."""
    for model in (KeywordPosting, ChunkEmbedding, VectorChunk, IndexedFile):
        # Straight SQL: there is nothing below these rows that Django would have to look for.
        rows: Any = model._default_manager.filter(file_id=file_id)
        rows._raw_delete(rows.db)  # the documented delete() would first select every row


def _copy_chunks(file: FileRecord, generation: int, spool: ChunkSpool) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY_CHUNKS) as copy:
        copy.set_types(["uuid", "uuid", "uuid", "int4", "int4", "text", "jsonb", "int4"])
        for chunk_id, chunk, _ in spool.records():
            place = Jsonb(place_as_json(chunk.place))
            copy.write_row(
                (chunk_id, file.pk, file.owner_id, generation, chunk.ordinal, chunk.text, place, chunk.token_count)
            )


def _copy_embeddings(file: FileRecord, spool: ChunkSpool) -> None:
    connection.ensure_connection()
    register_vector(connection.connection)
    with connection.cursor() as cursor, cursor.copy(_COPY_EMBEDDINGS) as copy:
        copy.set_types(["uuid", "uuid", "uuid", "halfvec"])
        for chunk_id, _, vector in spool.records():
            copy.write_row((chunk_id, file.owner_id, file.pk, HalfVector(vector)))
