"""Makes the vectors of passages that have none in a space: after a change of the model, or where some are missing.

A new model's vectors are made in a space beside the one that is searched, document by document, each in a transaction
of its own: it may be stopped at any time and goes on where it was. When no document lacks them, the new space takes the
other's place in one transaction. Files that are indexed meanwhile get vectors of the model that is searched, and are
filled in like the others.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from files.findings import place_from_json
from files.models import FileRecord
from search import metrics, partitions, spaces
from search.embedders import embedders
from search.indexing import approximate, writing
from search.indexing.about import About
from search.indexing.chunking import Chunk
from search.indexing.context import with_context
from search.indexing.embedding import Embedder, embed_whole
from search.models import EmbeddingSpace, IndexedFile, VectorChunk
from search.retrieval import Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = structlog.get_logger(__name__)

MAINTENANCE_LOCK = 0x0E5BACE6
"""The database's lock of whoever maintains the index; see `search.spaces` for the other one."""

_BATCH = 32
_DOCUMENTS = 200
_KEPT = timedelta(minutes=10)  # a retired space, for searches that began before the exchange
_MISSING = """
SELECT number FROM search_indexedfile d
WHERE chunk_count > disabled_count AND number > %s
  AND NOT EXISTS (SELECT FROM {table} e WHERE e.owner_id = d.owner_id AND e.document_id = d.number)
ORDER BY number LIMIT %s
"""
_COPY = """
INSERT INTO search_chunkembedding (space_id, owner_id, document_id, ordinal, embedding)
SELECT %s, owner_id, document_id, ordinal, embedding FROM search_chunkembedding
WHERE space_id = %s AND owner_id = %s AND document_id = %s ORDER BY ordinal
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many documents have vectors in a space, of how many."""

    done: int
    total: int


def wanted_space(*, again: bool = False) -> Space | None:
    """Return the space to fill: the one that is being filled, else a new one where one is wanted; else None.

    A new one is wanted where the configured model is not the one that is searched, or `again`, which lays the vectors
    anew in the order of their owners. One that was begun for a model that is no longer configured is removed.
    """
    active, begun, embedder = spaces.active(), spaces.filling(), embedders["default"]
    if active is None:
        return None
    if begun and begun.model_id != embedder.model_id:
        if not spaces.remove(begun.id):
            return None
        begun = None
    if begun or (active.model_id == embedder.model_id and not again):
        return begun
    with transaction.atomic():
        return spaces.create(embedder, EmbeddingSpace.State.FILLING)


def fill(space: Space, seconds: float = float("inf")) -> Generator[Progress]:
    """Make what is missing in `space`, yielding after each document, until nothing is or the time is up."""
    until = time.monotonic() + seconds
    total = IndexedFile.objects.filter(chunk_count__gt=F("disabled_count")).count()
    left, last = len(_missing(space, 0, total)), 0
    while numbers := _missing(space, last, _DOCUMENTS):
        for last in numbers:
            _fill_document(last, space)
            left -= 1
            yield Progress(total - max(0, left), total)
            if time.monotonic() > until:
                return


def finish(space: Space) -> bool:
    """Let `space` be searched; False where documents have come that it lacks: fill again."""
    for owner_id in approximate.build_missing(space, settings.SEARCH_EXACT_ROWS):
        logger.info("approximate index ready", owner=str(owner_id))
    with transaction.atomic():
        spaces.hold_alone()
        if _missing(space, 0, 1):
            return False
        spaces.exchange(space)
    logger.info("embedding space exchanged", model=space.model_id)
    return True


def maintain(seconds: float) -> None:
    """Do for so many seconds what the index needs: missing vectors, a change of the model, indexes of large owners."""
    with alone() as allowed:
        if not allowed:
            return
        _remove_retired()
        if (active := spaces.active()) is None:
            return
        _fill_active(active, seconds)
        space = wanted_space()
        if space is not None:
            for _ in fill(space, seconds):
                pass
            if not _missing(space, 0, 1):
                finish(space)
        else:
            list(approximate.build_missing(active, settings.SEARCH_EXACT_ROWS))
            approximate.drop_needless(active, settings.SEARCH_EXACT_ROWS)


@contextmanager
def alone() -> Iterator[bool]:
    """Tell whether this process is the only one that maintains the index, and keep it so meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [MAINTENANCE_LOCK])
        (allowed,) = cursor.fetchone()
        try:
            yield bool(allowed)
        finally:
            if allowed:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MAINTENANCE_LOCK])


def _fill_active(active: Space, seconds: float) -> None:
    """Make vectors that are missing in the space that is searched, where its model is there."""
    try:
        spaces.embedder_of(active)
    except spaces.ModelNotConfigured as error:
        logger.warning("searching by words alone until the passages are embedded anew", model=error.details["model"])
        return
    for _ in fill(active, seconds):
        pass


def _missing(space: Space, after: int, most: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_MISSING.format(table=partitions.table_of(space.id)), [after, most])
        return [row[0] for row in cursor.fetchall()]


def _fill_document(number: int, space: Space) -> None:
    """Make the vectors of one document, unless it is deleted or indexed anew meanwhile."""
    with transaction.atomic():
        document = IndexedFile.objects.select_for_update().filter(number=number).first()
        if document is None or _copied(document, space):
            return
        embedder = spaces.embedder_of(space)
        for vectors in _vectors(document, embedder):
            writing.write_vectors(document, space, vectors)


def _copied(document: IndexedFile, space: Space) -> bool:
    """Copy the vectors from the space that is searched, where they are of the same model and there."""
    active = spaces.active()
    if active is None or active == space or active.model_id != space.model_id:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_COPY, [space.id, active.id, document.owner_id, document.number])
        return bool(cursor.rowcount > 0)


def _vectors(document: IndexedFile, embedder: Embedder) -> Iterator[list[tuple[int, NDArray[np.float32]]]]:
    """Yield pairs of ordinal and vector in batches: while one is being written, the connection does nothing else."""
    title = About.of(FileRecord.objects.get(pk=document.pk)).title
    passages = VectorChunk.objects.filter(file_id=document.pk, disabled=False).order_by("ordinal")
    rows = list(passages.values_list("ordinal", "text", "place"))
    for start in range(0, len(rows), _BATCH):
        yield embedded(rows[start : start + _BATCH], title, embedder)


def embedded(
    passages: Sequence[tuple[int, str, dict[str, Any]]], title: str, embedder: Embedder
) -> list[tuple[int, NDArray[np.float32]]]:
    """Return the ordinal and the vector of passages of a file, given by ordinal, text and place."""
    chunks = [Chunk(ordinal, text, place_from_json(place), 0) for ordinal, text, place in passages]
    texts = _texts(chunks, title, embedder)
    with metrics.embedding_of(len(texts)):
        vectors = embed_whole(embedder, texts)
    return [(chunk.ordinal, vector) for chunk, vector in zip(chunks, vectors, strict=True)]


def _texts(batch: Sequence[Chunk], title: str, embedder: Embedder) -> list[str]:
    """Return what is embedded, with as much context as the model's own count of tokens has room for."""
    counts = embedder.token_counts([chunk.text for chunk in batch])
    counted = [replace(chunk, token_count=count) for chunk, count in zip(batch, counts, strict=True)]
    return [with_context(chunk, title, embedder.max_tokens, embedder.count_tokens) for chunk in counted]


def _remove_retired() -> None:
    old = EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.RETIRED, retired_at__lt=Now() - _KEPT)
    for space_id in old.values_list("pk", flat=True):
        if spaces.remove(space_id):
            logger.info("retired embedding space removed", space=space_id)
