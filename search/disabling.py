"""Takes a passage out of the search and lets it in again, at the wish of the file's owner.

Its vectors and postings go and come in one transaction: who searches after it finds the passage by neither side, or by
both. After it: `search.indexing.disabled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from files import states
from files.models import FileRecord, ProcessingJob
from files.selectors import get_file
from orchestra.accounts.models import User
from search import spaces
from search.errors import PassageNotFound
from search.indexing import disabled, refilling, shelving, writing
from search.indexing.about import About
from search.indexing.keyword_rows import KeywordRow, KeywordRows
from search.models import ChunkEmbedding, IndexedFile, VectorChunk
from search.retrieval import Space
from search.stemming import stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def disable(user: User, file_id: UUID, chunk_id: UUID) -> VectorChunk:
    """Let no search find a passage. One that is disabled stays so. Raises FileNotFound, PassageNotFound."""
    file = get_file(user, file_id)
    with transaction.atomic():
        document, chunk = _held(file, chunk_id)
        if not chunk.disabled:
            disabled.take_out(document, [chunk.ordinal])
            shelving.renumber(document)
            _tell(file, "passage_disabled", f"Passage {chunk.ordinal + 1} was disabled: no search finds it.")
    return _fresh(chunk)


def enable(user: User, file_id: UUID, chunk_id: UUID) -> VectorChunk:
    """Let a passage be found again, by meaning and by word.

    Raises FileNotFound, PassageNotFound, ModelNotConfigured, SpaceChanged.
    """
    file = get_file(user, file_id)
    chunk = _chunk(file, chunk_id)
    vectors = _vectors(file, chunk)  # made before anything is locked: a model may take its time
    with transaction.atomic():
        document, chunk = _held(file, chunk_id)
        if chunk.disabled:
            _write(document, chunk, vectors)
            disabled.put_back(document, chunk.ordinal, _rows(document, file, chunk))
            shelving.renumber(document)
            _tell(file, "passage_enabled", f"Passage {chunk.ordinal + 1} was enabled again.")
    return _fresh(chunk)


def _held(file: FileRecord, chunk_id: UUID) -> tuple[IndexedFile, VectorChunk]:
    """Lock the document of a file: its job's row first, as everywhere; the spaces next, as whoever stores a file."""
    ProcessingJob.objects.select_for_update().filter(file=file).first()
    spaces.hold_any()
    document = IndexedFile.objects.select_for_update().filter(file=file, owner=file.owner_id).first()
    if document is None:  # in the trash, or deleted meanwhile
        raise PassageNotFound
    return document, _chunk(file, chunk_id)


def _chunk(file: FileRecord, chunk_id: UUID) -> VectorChunk:
    chunk = VectorChunk.objects.filter(pk=chunk_id, file=file).first()
    if chunk is None:
        raise PassageNotFound
    return chunk


def _fresh(chunk: VectorChunk) -> VectorChunk:
    chunk.refresh_from_db(fields=("disabled",))
    return chunk


def _vectors(file: FileRecord, chunk: VectorChunk) -> dict[Space, list[tuple[int, NDArray[np.float32]]]]:
    """Return the passage's vector in each space that is searched or being filled."""
    title, passage = About.of(file).title, (chunk.ordinal, chunk.text, chunk.place)
    live = [space for space in (spaces.active(), spaces.filling()) if space is not None]
    return {space: refilling.embedded([passage], title, spaces.embedder_of(space)) for space in live}


def _write(
    document: IndexedFile, chunk: VectorChunk, vectors: dict[Space, list[tuple[int, NDArray[np.float32]]]]
) -> None:
    """Write the vectors; a space that is being filled and has not come to this document brings it itself."""
    active = spaces.active()
    if active is not None and active not in vectors:
        raise spaces.SpaceChanged
    for space, vector in vectors.items():
        there = ChunkEmbedding.objects.filter(space_id=space.id, owner_id=document.owner_id, document=document)
        if space == active or there.exists():
            there.filter(ordinal=chunk.ordinal).delete()
            writing.write_vectors(document, space, vector)


def _rows(document: IndexedFile, file: FileRecord, chunk: VectorChunk) -> list[KeywordRow]:
    rows = KeywordRows(document.configuration, stems, code=file.kind == "code")
    return list(rows.rows([(chunk.ordinal, chunk.text)]))


def _tell(file: FileRecord, code: str, message: str) -> None:
    states.touch(file.pk)
    file.refresh_from_db()
    states.record_event(file, code, message)
