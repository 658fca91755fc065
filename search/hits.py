"""Fused candidates to hits: text, file, place, snippet, read in one query."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from search.keywords import lexemes_of
from search.models import IndexedFile, VectorChunk
from search.ranking.fusion import Fused
from search.ranking.highlighting import highlight
from search.ranking.query_syntax import parse_query
from search.retrieval import Hit, ScoreParts, SearchRequest

SNIPPET_CHARACTERS = 320


def build_hits(request: SearchRequest, ranking: Sequence[Fused[UUID]]) -> tuple[Hit, ...]:
    """Return the hits of a ranking, in its order. A passage deleted meanwhile is left out."""
    chunks = VectorChunk.objects.filter(owner_id=request.scope.owner_id).select_related("file")
    found = {chunk.pk: chunk for chunk in chunks.filter(pk__in=[fused.id for fused in ranking])}
    used = IndexedFile.objects.filter(file_id__in={chunk.file_id for chunk in found.values()})
    terms = lexemes_of(parse_query(request.query).text, set(used.values_list("configuration", flat=True)))
    return tuple(_hit(found[fused.id], fused, terms) for fused in ranking if fused.id in found)


def _hit(chunk: VectorChunk, fused: Fused[UUID], terms: Sequence[str]) -> Hit:
    return Hit(
        chunk_id=chunk.pk,
        file_id=chunk.file_id,
        file_name=chunk.file.name,
        media_type=chunk.file.media_type,
        kind=chunk.file.kind,
        ordinal=chunk.ordinal,
        text=chunk.text,
        place=chunk.place,
        snippet=highlight(chunk.text, terms, max_chars=SNIPPET_CHARACTERS),
        score=round(fused.score, 4),
        parts=ScoreParts(
            vector=round(fused.vector_score, 4),
            keyword=round(fused.keyword_score, 4),
            vector_rank=fused.vector_rank,
            keyword_rank=fused.keyword_rank if fused.keyword_score > 0 else None,
        ),
    )
