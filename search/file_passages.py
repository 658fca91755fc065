"""Reads of a file's passages, in pages by key; and what lies near to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from files.models import FileRecord
from orchestra.accounts.models import User
from search import spaces
from search.hits import build_hits
from search.models import IndexedFile, VectorChunk
from search.passages import passage_of
from search.ranking.fusion import Candidate, fuse
from search.retrieval import EmbeddedQuery, Hit, Scope, SearchRequest, Space
from search.vector_stores import vector_stores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PAGE_SIZE = 20
_MOST_SIMILAR = 10
_VECTOR = """
SELECT embedding::real[] FROM search_chunkembedding
WHERE space_id = %(space)s AND owner_id = %(owner)s AND document_id = %(document)s AND ordinal = %(ordinal)s
"""


@dataclass(frozen=True, slots=True)
class PassagePage:
    """A page of a file's passages in their order, and the keys of its neighbours: None where there is none."""

    passages: tuple[VectorChunk, ...]
    before: int | None
    after: int | None
    disabled: int


def page_of(file: FileRecord, first: int = 0) -> PassagePage:
    """Return the passages from an ordinal on."""
    chunks = VectorChunk.objects.filter(file=file, ordinal__gte=max(0, first)).order_by("ordinal")
    rows = list(chunks[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    document = IndexedFile.objects.filter(file=file).first()
    return PassagePage(
        tuple(shown),
        before=max(0, shown[0].ordinal - PAGE_SIZE) if shown and shown[0].ordinal else None,
        after=rows[PAGE_SIZE].ordinal if len(rows) > PAGE_SIZE else None,
        disabled=document.disabled_count if document else 0,
    )


def similar_to(user: User, chunk: VectorChunk) -> tuple[Hit, ...] | None:
    """Return the passages of all of the user's files that lie nearest to one, by its stored vector.

    None where it has no vector: it is disabled, or the space that is searched lacks it.
    """
    space = spaces.searched()
    document = IndexedFile.objects.filter(file=chunk.file_id, owner=user).first()
    vector = _vector(space, document, chunk.ordinal) if space and document else None
    if space is None or document is None or vector is None:
        return None
    request = SearchRequest(chunk.text, Scope(user.pk), _MOST_SIMILAR)
    near = vector_stores["default"].neighbours(EmbeddedQuery(vector, space), request.scope, 2 * _MOST_SIMILAR)
    own = passage_of(document.number, chunk.ordinal)
    candidates = [Candidate(one.passage, one.cosine, 0.0) for one in near if one.passage != own]
    return build_hits(request, fuse(candidates, vector_weight=1.0), {})


def _vector(space: Space, document: IndexedFile, ordinal: int) -> NDArray[np.float32] | None:
    import numpy as np

    values: dict[str, Any] = {
        "space": space.id,
        "owner": document.owner_id,
        "document": document.number,
        "ordinal": ordinal,
    }
    with connection.cursor() as cursor:
        cursor.execute(_VECTOR, values)
        row = cursor.fetchone()
    return np.array(row[0], np.float32) if row else None
