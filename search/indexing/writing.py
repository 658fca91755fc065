"""Puts a file's passages, vectors and words into the database, in the caller's transaction: all of them or none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg.types.json import Jsonb

from files.findings import place_as_json
from files.models import FileRecord
from search.indexing.keyword_rows import ANALYSIS
from search.indexing.languages import configuration
from search.indexing.posting_spool import PostingSpool
from search.indexing.spool import ChunkSpool
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, VectorChunk

_COPY_CHUNKS = """
COPY search_vectorchunk (id, file_id, owner_id, generation, ordinal, text, place, token_count)
FROM STDIN (FORMAT BINARY)
"""
_COPY_EMBEDDINGS = "COPY search_chunkembedding (chunk_id, owner_id, file_id, embedding) FROM STDIN (FORMAT BINARY)"

_COPY_POSTINGS = """
COPY search_keywordposting (owner_id, document_id, block, lexeme, postings) FROM STDIN
"""


def replace(
    file: FileRecord,
    generation: int,
    spool: ChunkSpool,
    model_id: str,
    language: str = "",
    *,
    postings: PostingSpool | None = None,
) -> None:
    """Replace everything the index holds of `file` by the spooled chunks; their text is in `language`, if known.

    `postings` are those of the chunks, all of them made, if somebody has; they are used where they fit the language.
    """
    remove(file.pk)
    _copy_chunks(file, generation, spool)
    _copy_embeddings(file, spool)
    document = IndexedFile.objects.create(
        file=file,
        owner_id=file.owner_id,
        generation=generation,
        language=language,
        model_id=model_id,
        chunk_count=spool.count,
        lexeme_count=0,
    )
    document.refresh_from_db(fields=("number",))
    if postings is not None and postings.configuration == configuration(language, settings.TEXT_SEARCH_CONFIG):
        _copy_postings(document, postings)
    else:
        write_keywords(document, file.kind, ((chunk.ordinal, chunk.text) for _, chunk, _ in spool.records()))


def write_keywords(document: IndexedFile, kind: str, passages: Iterable[tuple[int, str]]) -> None:
    """Write the postings of a document that has none, from its passages' ordinals and texts in order."""
    with PostingSpool(configuration(document.language, settings.TEXT_SEARCH_CONFIG), code=kind == "code") as postings:
        postings.add(passages)
        postings.finish()
        _copy_postings(document, postings)


def _copy_postings(document: IndexedFile, postings: PostingSpool) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY_POSTINGS) as copy:
        for part in postings.parts(f"{document.owner_id}\t{document.number}\t"):
            copy.write(part)
    document.configuration, document.analysis = postings.configuration, ANALYSIS
    document.lexeme_count = postings.length
    document.save(update_fields=("configuration", "analysis", "lexeme_count"))


def remove(file_id: UUID) -> None:
    """Remove everything the index holds of a file."""
    remove_keywords(file_id)
    for model in (ChunkEmbedding, VectorChunk, IndexedFile):
        # Straight SQL: there is nothing below these rows that Django would have to look for.
        rows: Any = model._default_manager.filter(file_id=file_id)
        rows._raw_delete(rows.db)  # the documented delete() would first select every row


def remove_keywords(file_id: UUID) -> None:
    """Remove the postings of a file."""
    rows: Any = KeywordPosting.objects.filter(document__in=IndexedFile.objects.filter(file_id=file_id))
    rows._raw_delete(rows.db)


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
