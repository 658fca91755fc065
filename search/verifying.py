"""What must always be true of what is searched: all of a file or nothing, once, under its owner.

Beside `files.verifying`. Where a file's index is wrong, the file is processed again: the old index serves until the
new one takes its place. What belongs to no file is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from files.models import FileRecord
from files.verifying import process_again
from orchestra.monitoring.verification import Invariant, Level, first_column, invariants
from search import spaces
from search.indexing import shelving
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, VectorChunk


def register() -> None:
    """Add the invariants of this application."""
    invariants.add(*_ALL)


def index_missing() -> Iterator[str]:
    """Searchable files that the index does not know, or knows with another number of passages."""
    return first_column(
        "SELECT f.id FROM files_filerecord f LEFT JOIN search_indexedfile d ON d.file_id = f.id "
        "WHERE f.status IN ('ready', 'partial') AND f.chunk_count IS DISTINCT FROM d.chunk_count"
    )


def passages_incomplete() -> Iterator[str]:
    """Indexed files that have not the passages 0 to n-1 of one generation."""
    return first_column(
        "SELECT d.file_id FROM search_indexedfile d LEFT JOIN search_vectorchunk c ON c.file_id = d.file_id "
        "GROUP BY d.file_id, d.chunk_count, d.generation HAVING count(c.id) <> d.chunk_count "
        "OR count(DISTINCT c.ordinal) <> d.chunk_count OR coalesce(max(c.ordinal) + 1, 0) <> d.chunk_count "
        "OR bool_or(c.generation <> d.generation)"
    )


def owners_at_odds() -> Iterator[str]:
    """Files whose passages, vectors or words are another user's."""
    return first_column(
        "SELECT f.id FROM files_filerecord f JOIN search_indexedfile d ON d.file_id = f.id "
        "WHERE f.trashed_at IS NULL AND (d.owner_id <> f.owner_id "
        "OR EXISTS (SELECT FROM search_vectorchunk c WHERE c.file_id = f.id AND c.owner_id <> f.owner_id) "
        "OR EXISTS (SELECT FROM search_keywordposting p WHERE p.document_id = d.number AND p.owner_id <> f.owner_id) "
        "OR EXISTS (SELECT FROM search_chunkembedding e WHERE e.document_id = d.number AND e.owner_id <> f.owner_id))"
    )


def trash_searched() -> Iterator[str]:
    """Files in the trash whose vectors or words are still under a user, where a search comes by."""
    return first_column(
        "SELECT f.id FROM files_filerecord f JOIN search_indexedfile d ON d.file_id = f.id "
        "WHERE f.trashed_at IS NOT NULL AND (d.owner_id = f.owner_id "
        "OR EXISTS (SELECT FROM search_keywordposting p WHERE p.document_id = d.number AND p.owner_id = f.owner_id) "
        "OR EXISTS (SELECT FROM search_chunkembedding e WHERE e.document_id = d.number AND e.owner_id = f.owner_id))"
    )


def _shelve(file_id: str) -> bool:
    """Take what is searched of it away; it comes back with the file."""
    with transaction.atomic():
        file = FileRecord.objects.select_for_update().filter(pk=file_id).exclude(trashed_at=None).first()
        document = IndexedFile.objects.filter(file=file, owner=F("file__owner")).first() if file else None
        if document is None:
            return False
        shelving.shelve(document.pk)
    return True


def vectors_incomplete() -> Iterator[str]:
    """Indexed files that have not one vector for each enabled passage in the space that is searched."""
    space = spaces.active()
    if space is None:
        return iter(())
    return first_column(
        "SELECT d.file_id FROM search_indexedfile d LEFT JOIN search_chunkembedding e "
        "ON e.space_id = %s AND e.owner_id = d.owner_id AND e.document_id = d.number "
        "AND e.ordinal BETWEEN 0 AND d.chunk_count - 1 "
        "GROUP BY d.file_id, d.chunk_count, d.disabled_count "
        "HAVING count(e.ordinal) <> d.chunk_count - d.disabled_count",
        space.id,
    )


def vectors_misshapen() -> Iterator[str]:
    """Indexed files with a vector of the wrong length or dimensions: nothing can be compared with it."""
    return first_column(
        "SELECT DISTINCT d.file_id FROM search_chunkembedding e JOIN search_embeddingspace s ON s.id = e.space_id "
        "JOIN search_indexedfile d ON d.number = e.document_id "
        "WHERE vector_dims(e.embedding) <> s.dimensions OR NOT l2_norm(e.embedding) BETWEEN 0.98 AND 1.02"
    )


def words_missing() -> Iterator[str]:
    """Indexed files that count words and have none."""
    return first_column(
        "SELECT d.file_id FROM search_indexedfile d "
        "WHERE d.lexeme_count > 0 AND d.chunk_count > d.disabled_count AND NOT EXISTS "
        "(SELECT FROM search_keywordposting p WHERE p.owner_id = d.owner_id AND p.document_id = d.number)"
    )


def disabled_searched() -> Iterator[str]:
    """Files with a disabled passage that can still be found, or with another number of these than is counted."""
    return first_column(
        "SELECT d.file_id FROM search_indexedfile d "
        "JOIN (SELECT file_id, ordinal FROM search_vectorchunk WHERE disabled) c ON c.file_id = d.file_id "
        "WHERE EXISTS (SELECT FROM search_chunkembedding e WHERE e.document_id = d.number AND e.ordinal = c.ordinal) "
        "OR EXISTS (SELECT FROM search_keywordposting p, unnest(p.postings) AS x WHERE p.document_id = d.number "
        "AND p.block = c.ordinal >> 10 AND x >> 21 = c.ordinal & 1023) "
        "UNION SELECT d.file_id FROM search_indexedfile d WHERE d.disabled_count <> "
        "(SELECT count(*) FROM search_vectorchunk c WHERE c.file_id = d.file_id AND c.disabled)"
    )


def passages_without_document() -> Iterator[str]:
    """Files with passages that the index does not know."""
    return first_column(
        "SELECT DISTINCT c.file_id FROM search_vectorchunk c "
        "LEFT JOIN search_indexedfile d ON d.file_id = c.file_id WHERE d.file_id IS NULL"
    )


def _remove_passages(file_id: str) -> bool:
    return _removed(VectorChunk.objects.filter(file=UUID(file_id)), IndexedFile.objects.filter(file=UUID(file_id)))


def vectors_without_document() -> Iterator[str]:
    """Documents that are gone and have left vectors."""
    return first_column(
        "SELECT DISTINCT e.document_id FROM search_chunkembedding e "
        "LEFT JOIN search_indexedfile d ON d.number = e.document_id WHERE d.number IS NULL"
    )


def words_without_document() -> Iterator[str]:
    """Documents that are gone and have left words."""
    return first_column(
        "SELECT DISTINCT p.document_id FROM search_keywordposting p "
        "LEFT JOIN search_indexedfile d ON d.number = p.document_id WHERE d.number IS NULL"
    )


def _remove_vectors(number: str) -> bool:
    vectors = ChunkEmbedding.objects.filter(document=int(number))  # type: ignore[misc]  # the stubs look past to_field
    return _removed(vectors, IndexedFile.objects.filter(number=int(number)))


def _remove_words(number: str) -> bool:
    words = KeywordPosting.objects.filter(document=int(number))  # type: ignore[misc]  # the stubs look past to_field
    return _removed(words, IndexedFile.objects.filter(number=int(number)))


def _removed(rows: QuerySet[Any], document: QuerySet[IndexedFile]) -> bool:
    """Remove rows whose document is not there; a document is written in one transaction with all that it has."""
    with transaction.atomic():
        return not document.exists() and rows._raw_delete(rows.db) > 0


_ALL = (
    Invariant(index_missing, "{count} files are called ready and cannot be found.", Level.DATABASE, process_again),
    Invariant(
        passages_incomplete,
        "{count} files are found with a part of their passages, or twice with one.",
        Level.DATABASE,
        process_again,
    ),
    Invariant(owners_at_odds, "{count} files are indexed under another user.", Level.DATABASE, process_again),
    Invariant(trash_searched, "{count} files in the trash can still be found.", Level.DATABASE, _shelve),
    Invariant(vectors_incomplete, "{count} files have not one vector for each passage.", Level.DATABASE, process_again),
    Invariant(vectors_misshapen, "{count} files have vectors that cannot be compared.", Level.DATABASE, process_again),
    Invariant(disabled_searched, "{count} files have disabled passages that are found.", Level.DATABASE, process_again),
    Invariant(words_missing, "{count} files cannot be found by word.", Level.DATABASE, process_again),
    Invariant(
        passages_without_document, "{count} files have passages outside of the index.", Level.DATABASE, _remove_passages
    ),
    Invariant(
        vectors_without_document,
        "Vectors of {count} documents that are gone are left.",
        Level.DATABASE,
        _remove_vectors,
    ),
    Invariant(
        words_without_document, "Words of {count} documents that are gone are left.", Level.DATABASE, _remove_words
    ),
)
