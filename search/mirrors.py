"""What PostgreSQL knows of the stores beside it: which documents each of their generations holds, and what it lacks.

A mirror is asked which passages are near and is believed in nothing else. PostgreSQL leaves out what no longer exists,
is not in scope or is not recorded as held, and compares what is not recorded one by one, in the statement of the search
itself: a new file is found at once and a deleted one never, however old the mirror is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from search import spaces
from search.models import IndexedFile, MirroredDocument, MirrorGeneration
from search.passages import ORDINAL_BITS
from search.retrieval import EmbeddedQuery, Scope, Space
from search.scopes import files_in, parameters_of
from search.vector_stores.base import Nearest, Neighbour
from search.vector_stores.pgvector import literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_GENERATION = UUID(int=0)
"""To compare with where there is none: everything is missing."""

_PASSAGES_AT_ONCE = 5_000
_HALF_HEADER = 4  # bytes before the numbers of a halfvec: its length, and two unused

# Every document is answered by exactly one side: by the mirror where it is recorded as held, else by the scan. Up to
# `complete_to` all are held, so that usually only the few documents above are looked at. OFFSET 0 keeps the scan a look
# at the keys of each missing document, and (SELECT true ...) one look per passage of the list: joined freely, both may
# become scans of all that the owner has.
_NEAREST = """
SELECT passage, cosine FROM (
    SELECT l.passage, l.cosine
    FROM unnest(%(near_passages)s::bigint[], %(near_cosines)s::float8[]) AS l (passage, cosine)
    WHERE (SELECT true FROM search_indexedfile d
           WHERE d.owner_id = %(owner)s AND d.number = l.passage >> 24
             AND d.chunk_count > (l.passage & 16777215) {files})
      AND (l.passage >> 24 <= {complete_to} OR (SELECT true {held} AND m.document = l.passage >> 24))
    UNION ALL
    SELECT v.passage, v.cosine
    FROM search_indexedfile d CROSS JOIN LATERAL (
        SELECT (e.document_id << 24) + e.ordinal AS passage, -(e.embedding <#> %(vector)s::halfvec) AS cosine
        FROM search_chunkembedding e
        WHERE e.space_id = %(space)s AND e.owner_id = %(owner)s AND e.document_id = d.number OFFSET 0
    ) v
    WHERE d.owner_id = %(owner)s AND d.number > {complete_to} {files}
      AND NOT EXISTS (SELECT {held} AND m.document = d.number)
) n ORDER BY cosine DESC, passage LIMIT %(near)s
"""
_COMPLETE_TO = "coalesce((SELECT complete_to FROM search_mirrorgeneration WHERE id = %(mirror)s), 0)"
_HELD = "FROM search_mirroreddocument m WHERE m.generation_id = %(mirror)s"
_GONE = """
SELECT m.document, m.passages FROM search_mirroreddocument m
WHERE m.generation_id = %(mirror)s AND NOT EXISTS (
    SELECT FROM search_indexedfile d WHERE d.owner_id = %(owner)s AND d.number = m.document)
ORDER BY m.document
"""
_MISSING = """
SELECT d.number, d.chunk_count - d.disabled_count FROM search_indexedfile d
WHERE d.owner_id = %(owner)s AND NOT EXISTS (
    SELECT FROM search_mirroreddocument m WHERE m.generation_id = %(mirror)s AND m.document = d.number)
ORDER BY d.number
"""
_COPY = """
INSERT INTO search_mirroreddocument (generation_id, document, passages)
SELECT %(mirror)s, m.document, m.passages FROM search_mirroreddocument m WHERE m.generation_id = %(other)s
"""
_AS_OLD = """
UPDATE search_mirrorgeneration SET written_at = o.written_at
FROM search_mirrorgeneration o WHERE o.id = %(other)s AND search_mirrorgeneration.id = %(mirror)s
"""
_IN_SCOPE = "SELECT d.number FROM search_indexedfile d WHERE d.owner_id = %(owner)s {files}"
_VECTORS = """
SELECT (document_id << 24) + ordinal, halfvec_send(embedding) FROM search_chunkembedding
WHERE space_id = %(space)s AND owner_id = %(owner)s AND document_id = ANY(%(documents)s)
ORDER BY document_id, ordinal
"""


@dataclass(frozen=True, slots=True)
class Document:
    """A document, by `IndexedFile.number`, and how many passages it has."""

    number: int
    passages: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The passages that a store's generation found."""

    store: str
    generation: UUID
    neighbours: Sequence[Neighbour]


@dataclass(frozen=True, slots=True)
class Difference:
    """What an owner has and a generation lacks, and what it holds though it is deleted.

    Up to the document `complete_to` none is still to come: their transactions have ended. 0: not known.
    """

    missing: tuple[Document, ...]
    gone: tuple[Document, ...]
    complete_to: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Documents that a generation came to hold, and up to which document it then holds all."""

    documents: tuple[Document, ...]
    complete_to: int


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Vectors of some documents: `passages` are their numbers, shape (n,), rising; `matrix` has shape (n, dimensions).

    Only of documents that are there with all their passages.
    """

    documents: tuple[Document, ...]
    passages: NDArray[np.int64]
    matrix: NDArray[np.float32]


def nearest(query: EmbeddedQuery, scope: Scope, limit: int, answer: Answer) -> Nearest:
    """Return what a mirror answered, put right by what PostgreSQL knows."""
    files = _files(scope)
    sql = _NEAREST.format(files=files, held=_HELD, complete_to=_COMPLETE_TO)
    parameters = {
        **parameters_of(scope),
        "vector": literal(query.vector),
        "space": query.space.id,
        "near": limit,
        "mirror": answer.generation,
        # As text: adapting each number would take as long as the list's part of the statement.
        "near_passages": "{" + ",".join(str(one.passage) for one in answer.neighbours) + "}",
        "near_cosines": "{" + ",".join(repr(one.cosine) for one in answer.neighbours) + "}",
    }
    return Nearest(sql, parameters, method=answer.store)


def documents_of(scope: Scope) -> list[int]:
    """Return the numbers of the documents in scope."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_SCOPE.format(files=_files(scope)), parameters_of(scope))
        return [row[0] for row in cursor.fetchall()]


def latest(store: str, space: Space, owner_id: UUID) -> MirrorGeneration | None:
    """Return the newest generation of an owner's vectors in a store."""
    return generations(store, space.id, owner_id).order_by("-created_at", "-id").first()


def generation(id: UUID) -> MirrorGeneration | None:  # noqa: A002  # as the model calls it
    """Return a generation; None where this database has not recorded it."""
    return MirrorGeneration.objects.filter(pk=id).first()


def begin(store: str, space: Space, owner_id: UUID, generation: UUID) -> MirrorGeneration:
    """Record a new generation that holds nothing yet."""
    return MirrorGeneration.objects.create(id=generation, store=store, space_id=space.id, owner_id=owner_id)


def difference(owner_id: UUID, generation: UUID) -> Difference:
    """Compare an owner's documents with those of a generation; of one that is not recorded, all are missing."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Who stores a file holds this lock, from before it has a number: without one of them, no number is to come.
        settled = spaces.try_to_hold_alone()
        values = {"owner": owner_id, "mirror": generation}
        cursor.execute(_MISSING, values)
        missing = tuple(Document(*row) for row in cursor.fetchall())
        cursor.execute(_GONE, values)
        gone = tuple(Document(*row) for row in cursor.fetchall())
        newest = IndexedFile.objects.filter(owner_id=owner_id).order_by("-number").values_list("number", flat=True)
        return Difference(missing, gone, (newest.first() or 0) if settled else 0)


def gone_passages(owner_id: UUID, generation: UUID) -> int:
    """Return how many passages of a generation are deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_GONE, {"owner": owner_id, "mirror": generation})
        return sum(passages for _, passages in cursor.fetchall())


def vectors(space: Space, owner_id: UUID, documents: Sequence[Document]) -> Iterator[Vectors]:
    """Yield the vectors of documents, some thousands at a time; those deleted meanwhile are left out."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        if batch and size + document.passages > _PASSAGES_AT_ONCE:
            yield _read(space, owner_id, batch)
            batch, size = [], 0
        batch.append(document)
        size += document.passages
    if batch:
        yield _read(space, owner_id, batch)


def record(generation: UUID, documents: Iterable[Document]) -> None:
    """Record that a generation holds these documents."""
    MirroredDocument.objects.bulk_create(
        (MirroredDocument(generation_id=generation, document=one.number, passages=one.passages) for one in documents),
        batch_size=_PASSAGES_AT_ONCE,
        ignore_conflicts=True,
    )


def record_as_in(generation: UUID, other: UUID) -> None:
    """Record that a generation was made from another one and holds all that it does."""
    with connection.cursor() as cursor:
        cursor.execute(_COPY, {"mirror": generation, "other": other})
        cursor.execute(_AS_OLD, {"mirror": generation, "other": other})


def record_complete(generation: UUID, complete_to: int) -> None:
    """Record up to which document a generation holds all."""
    if complete_to:
        MirrorGeneration.objects.filter(pk=generation, complete_to__lt=complete_to).update(complete_to=complete_to)


def complete_part(found: Difference, stored: Iterable[Document]) -> int:
    """Return up to which document all are held, once `stored` of what was missing is."""
    held = {one.number for one in stored}
    lacking = [one.number for one in found.missing if one.number not in held]
    return min([found.complete_to, *(number - 1 for number in lacking)])


def forget_documents(generation: UUID, documents: Iterable[Document]) -> None:
    """Record that a generation has dropped these documents."""
    numbers = [one.number for one in documents]
    MirroredDocument.objects.filter(generation_id=generation, document__in=numbers).delete()


def forget(store: str, space_id: int, owner_id: UUID, keep: Iterable[UUID] = ()) -> None:
    """Forget an owner's generations, except those to keep."""
    with transaction.atomic():
        ids = list(generations(store, space_id, owner_id).exclude(pk__in=list(keep)).values_list("pk", flat=True))
        MirroredDocument.objects.filter(generation_id__in=ids).delete()
        MirrorGeneration.objects.filter(pk__in=ids).delete()


def holders(store: str) -> set[tuple[int, UUID]]:
    """Return the spaces and owners that a store has generations of."""
    return set(MirrorGeneration.objects.filter(store=store).values_list("space_id", "owner_id").distinct())


def generations(store: str, space_id: int, owner_id: UUID) -> QuerySet[MirrorGeneration]:
    """Return the generations of an owner's vectors in a store."""
    return MirrorGeneration.objects.filter(store=store, space_id=space_id, owner_id=owner_id)


def _files(scope: Scope) -> str:
    return f"AND d.file_id IN ({files})" if (files := files_in(scope)) else ""


def _read(space: Space, owner_id: UUID, documents: Sequence[Document]) -> Vectors:
    import numpy as np

    values: dict[str, Any] = {
        "space": space.id,
        "owner": owner_id,
        "documents": [one.number for one in documents],
    }
    with connection.cursor() as cursor:
        cursor.execute(_VECTORS, values)
        rows = cursor.fetchall()
    passages = np.array([row[0] for row in rows], dtype=np.int64)
    numbers = np.frombuffer(b"".join(bytes(row[1])[_HALF_HEADER:] for row in rows), dtype=">f2")
    matrix = numbers.reshape(len(rows), space.dimensions).astype(np.float32)
    there, counts = np.unique(passages >> ORDINAL_BITS, return_counts=True)
    counted = dict(zip(there.tolist(), counts.tolist(), strict=True))
    whole = tuple(one for one in documents if counted.get(one.number, 0) == one.passages)
    kept = np.isin(passages >> ORDINAL_BITS, [one.number for one in whole])
    return Vectors(whole, passages[kept], matrix[kept])
