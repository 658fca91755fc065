"""Puts a file's passages, vectors and words into the database, in the caller's transaction: all of them or none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg.types.json import Jsonb

from files.findings import place_as_json
from files.models import FileRecord
from orchestra.common import failpoints
from search import spaces
from search.indexing import disabled
from search.indexing.keyword_rows import ANALYSIS
from search.indexing.languages import configuration
from search.indexing.posting_spool import PostingSpool
from search.indexing.spool import ChunkSpool
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, VectorChunk
from search.retrieval import Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COPY_CHUNKS = """
COPY search_vectorchunk (id, file_id, owner_id, generation, ordinal, text, place, token_count)
FROM STDIN (FORMAT BINARY)
"""
_COPY_EMBEDDINGS = """
COPY search_chunkembedding (space_id, owner_id, document_id, ordinal, embedding) FROM STDIN (FORMAT BINARY)
"""
_COPY_POSTINGS = """
COPY search_keywordposting (owner_id, document_id, block, lexeme, postings) FROM STDIN
"""


def replace(
    file: FileRecord,
    generation: int,
    spool: ChunkSpool,
    space: Space,
    language: str = "",
    *,
    postings: PostingSpool | None = None,
) -> None:
    """Replace everything the index holds of `file` by the spooled chunks; their text is in `language`, if known.

    Their vectors belong to `space`. `postings` are those of the chunks, if somebody has made them all; they are used
    where they fit the language. Passages with the very text of one that was disabled are disabled again. Raises
    SpaceChanged where `space` is no longer the one that is searched.
    """
    spaces.hold(space)
    out = disabled.texts_of(file.pk)
    remove(file.pk)
    failpoints.reach("index.removed")
    _copy_chunks(file, generation, spool)
    document = IndexedFile.objects.create(
        file=file,
        owner_id=file.owner_id,
        generation=generation,
        language=language,
        chunk_count=spool.count,
        lexeme_count=0,
    )
    document.refresh_from_db(fields=("number",))
    write_vectors(document, space, ((chunk.ordinal, vector) for _, chunk, vector in spool.records()))
    failpoints.reach("index.vectors")
    if postings is not None and postings.configuration == configuration(language, settings.TEXT_SEARCH_CONFIG):
        _copy_postings(document, postings)
    else:
        write_keywords(document, file.kind, ((chunk.ordinal, chunk.text) for _, chunk, _ in spool.records()))
    if out:
        disabled.take_out_again(document, out)


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
    documents = IndexedFile.objects.filter(file_id=file_id)
    for document in documents.select_for_update():  # whoever fills in its vectors is waited for
        # With the owner, so that one partition of each space is looked at.
        _delete(ChunkEmbedding.objects.filter(owner_id=document.owner_id, document=document))
    remove_keywords(file_id)
    _delete(VectorChunk.objects.filter(file_id=file_id))
    _delete(documents)


def remove_keywords(file_id: UUID) -> None:
    """Remove the postings of a file."""
    _delete(KeywordPosting.objects.filter(document__in=IndexedFile.objects.filter(file_id=file_id)))


def _delete(rows: QuerySet[Any]) -> None:
    """Delete straight away: the documented delete() would first select every row, to look for what is below it."""
    rows._raw_delete(rows.db)


def _copy_chunks(file: FileRecord, generation: int, spool: ChunkSpool) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY_CHUNKS) as copy:
        copy.set_types(["uuid", "uuid", "uuid", "int4", "int4", "text", "jsonb", "int4"])
        for chunk_id, chunk, _ in spool.records():
            place = Jsonb(place_as_json(chunk.place))
            copy.write_row(
                (chunk_id, file.pk, file.owner_id, generation, chunk.ordinal, chunk.text, place, chunk.token_count)
            )


def write_vectors(document: IndexedFile, space: Space, vectors: Iterable[tuple[int, NDArray[np.float32]]]) -> None:
    """Write the vectors of a document that has none in `space`: pairs of ordinal and vector."""
    connection.ensure_connection()
    register_vector(connection.connection)
    with connection.cursor() as cursor, cursor.copy(_COPY_EMBEDDINGS) as copy:
        copy.set_types(["int2", "uuid", "int8", "int4", "halfvec"])
        for ordinal, vector in vectors:
            copy.write_row((space.id, document.owner_id, document.number, ordinal, HalfVector(vector)))
