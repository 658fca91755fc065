"""What crosses between the parts of search: scopes, requests, candidates, hits. Frozen, and free of Django."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from search.ranking.highlighting import Snippet


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose passages are searched, and which of them. Empty tuples do not narrow."""

    owner_id: UUID
    file_ids: tuple[UUID, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the two sides are fused: the share of meaning against words, and how many candidates each side brings."""

    weight: float = 0.5
    depth: int = 100


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A question, where to look, how to weigh, and how many hits to return."""

    query: str
    scope: Scope
    limit: int = 10
    tuning: Tuning = field(default_factory=Tuning)


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """How a hit's score came about: cosine and BM25, and the rank on each side, from 1.

    `keyword_rank` is None for a passage that has none of the question's words.
    """

    vector: float
    keyword: float
    vector_rank: int
    keyword_rank: int | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers, with its file and its place."""

    chunk_id: UUID
    file_id: UUID
    file_name: str
    media_type: str
    kind: str
    ordinal: int
    text: str
    place: dict[str, Any]
    snippet: Snippet
    score: float
    parts: ScoreParts


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first, with milliseconds per step."""

    query: str
    mode: str
    hits: tuple[Hit, ...]
    timings: dict[str, float] = field(default_factory=dict)
