"""One question through several modes, side by side: what each finds, how long it takes, what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from orchestra.accounts.models import User
from search import services
from search.retrieval import Scope, SearchResult


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two modes found alike: the share of passages, and of files, that both have of all that either has."""

    modes: tuple[str, str]
    passages: float
    files: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The results, in the order in which modes were asked, and the overlap of each pair."""

    query: str
    results: tuple[SearchResult, ...]
    overlaps: tuple[Overlap, ...]


def compare(user: User, query: str, modes: Sequence[str], *, scope: Scope | None = None, limit: int = 10) -> Compared:
    """Ask each mode once, by passage; nothing is remembered. Raises what a search raises."""
    results = [
        services.search(user, query, mode=mode, scope=scope, limit=limit, by_file=False, remember=False)
        for mode in dict.fromkeys(modes)
    ]
    return Compared(
        results[0].query, tuple(results), tuple(_overlap(one, two) for one, two in combinations(results, 2))
    )


def _overlap(one: SearchResult, two: SearchResult) -> Overlap:
    return Overlap(
        (one.mode, two.mode),
        _share({hit.chunk_id for hit in one.hits}, {hit.chunk_id for hit in two.hits}),
        _share({hit.file_id for hit in one.hits}, {hit.file_id for hit in two.hits}),
    )


def _share(one: set[UUID], two: set[UUID]) -> float:
    every = one | two
    return round(len(one & two) / len(every), 4) if every else 1.0
