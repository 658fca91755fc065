"""Fused candidates to hits: text, file, place, snippet; equal passages folded, passages of one file grouped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection

from search.filtering import ContentFilter
from search.passages import document_of, ordinal_of
from search.ranking.fusion import Fused
from search.ranking.highlighting import highlight
from search.retrieval import Hit, ScoreParts, SearchRequest, Twin

SNIPPET_CHARACTERS = 320
MOST_TWINS = 20
MOST_OF_A_FILE = 4
_AHEAD = 5  # passages read beyond those asked for, in case some are equal

_PASSAGES = """
SELECT p.passage, c.id, c.file_id, f.name, f.media_type, f.kind, c.ordinal, c.text, c.place
FROM unnest(%(documents)s::bigint[], %(ordinals)s::int[], %(passages)s::bigint[]) AS p (document, ordinal, passage)
JOIN search_indexedfile d ON d.number = p.document AND d.owner_id = %(owner)s
JOIN search_vectorchunk c ON c.file_id = d.file_id AND c.ordinal = p.ordinal AND NOT c.disabled
JOIN files_filerecord f ON f.id = c.file_id
"""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage with its file and its place."""

    chunk_id: UUID
    file_id: UUID
    file_name: str
    media_type: str
    kind: str
    ordinal: int
    text: str
    place: dict[str, Any]


Ranking = Sequence[Fused[int]]


def read_passages(owner_id: UUID, passages: Sequence[int]) -> dict[int, Passage]:
    """Return an owner's passages by number, in one query. One deleted meanwhile is left out."""
    values: dict[str, Any] = {
        "documents": [document_of(passage) for passage in passages],
        "ordinals": [ordinal_of(passage) for passage in passages],
        "passages": list(passages),
        "owner": owner_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PASSAGES, values)
        return {
            number: Passage(chunk, file, name, media_type, kind, ordinal, text, json.loads(place))
            for number, chunk, file, name, media_type, kind, ordinal, text, place in cursor.fetchall()
        }


def build_hits(
    request: SearchRequest,
    ranking: Ranking,
    weights: Mapping[str, float],
    reranked: Mapping[int, float] | None = None,
) -> tuple[Hit, ...]:
    """Return the hits of a ranking, in its order: passages, or files with their best passages.

    `reranked` are scores that a reranker gave, by passage.
    """
    scores = reranked or {}
    hits = (
        (passage.text, _hit(passage, fused, weights, scores.get(fused.id), request.filter))
        for fused, passage in _read(request, ranking)
    )
    if request.by_file:
        return tuple(_grouped(_folded(hits, None), request.limit))
    return tuple(_folded(hits, request.limit))


def _read(request: SearchRequest, ranking: Ranking) -> Iterator[tuple[Fused[int], Passage]]:
    """Yield the ranking's passages as far as somebody asks for them."""
    step = (MOST_OF_A_FILE - 1) * request.limit if request.by_file else request.limit + _AHEAD
    for start in range(0, len(ranking), step):
        batch = ranking[start : start + step]
        found = read_passages(request.scope.owner_id, [fused.id for fused in batch])
        yield from ((fused, found[fused.id]) for fused in batch if fused.id in found)


def _folded(hits: Iterator[tuple[str, Hit]], limit: int | None) -> list[Hit]:
    """Return the first hits; those with the same words as an earlier one, before any were masked, become its twins."""
    kept: dict[str, Hit] = {}
    twins: dict[str, list[Twin]] = {}
    for text, hit in hits:
        words = " ".join(text.split())
        if words not in kept:
            kept[words] = hit
        elif len(twins.setdefault(words, [])) < MOST_TWINS:
            twins[words].append(Twin(hit.chunk_id, hit.file_id, hit.file_name, hit.place))
        if limit is not None and len(kept) >= limit:
            break
    return [replace(hit, twins=tuple(twins.get(words, ()))) for words, hit in kept.items()]


def _grouped(hits: Sequence[Hit], limit: int) -> Iterator[Hit]:
    """Yield each file's best hit, in order, with the next ones of the same file below it."""
    files: dict[UUID, list[Hit]] = {}
    for hit in hits:
        files.setdefault(hit.file_id, []).append(hit)
    for best, *more in list(files.values())[:limit]:
        yield replace(best, more=tuple(more[: MOST_OF_A_FILE - 1]))


def _hit(
    passage: Passage,
    fused: Fused[int],
    weights: Mapping[str, float],
    rerank: float | None,
    content: ContentFilter,
) -> Hit:
    text = content.clean(passage.text)
    return Hit(
        chunk_id=passage.chunk_id,
        file_id=passage.file_id,
        file_name=passage.file_name,
        media_type=passage.media_type,
        kind=passage.kind,
        ordinal=passage.ordinal,
        text=text,
        place=passage.place,
        snippet=highlight(text, weights, max_chars=SNIPPET_CHARACTERS, weights=weights),
        score=round(fused.score, 4),
        parts=ScoreParts(
            vector=round(fused.vector_score, 4),
            keyword=round(fused.keyword_score, 4),
            vector_rank=fused.vector_rank,
            keyword_rank=fused.keyword_rank if fused.keyword_score > 0 else None,
            vector_part=round(fused.vector_part, 4),
            keyword_part=round(fused.keyword_part, 4),
            fused_rank=fused.rank,
            rerank=rerank,
        ),
        passage=fused.id,
    )
