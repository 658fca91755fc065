"""Two lists of candidates to one order: min-max fusion of vector and keyword scores.

Before it: the retrievals by vector and by keyword, and the scores that each gives to what only the other found. After
it: `highlighting`. Each side's scores are spread over 0 to 1 and added by weight; against reciprocal rank fusion, this
keeps a weak side from dragging down a strong one (Bruch et al. 2022, arXiv 2210.11934).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from orchestra.common.errors import OrchestraError


class Key(Hashable, Protocol):
    """What names a passage: it has an order, so that ties have one."""

    def __lt__(self, other: Any, /) -> bool:
        """Compare with another key."""


Id = TypeVar("Id", bound=Key)


class FusionInputError(OrchestraError):
    """The candidates or the weight given to fusion make no sense: a mistake in the calling code."""

    code = "fusion_input_invalid"
    default_message = "The search results could not be combined."


# Named tuples: a search makes hundreds of them, and a frozen dataclass takes four times as long to make.
class Candidate(NamedTuple, Generic[Id]):
    """A passage that either retrieval found, with the scores of both: higher is better, 0 keywords for no match."""

    id: Id
    vector_score: float
    keyword_score: float


class Fused(NamedTuple, Generic[Id]):
    """A candidate in its place. `score` is the sum of the two parts; ranks count from 1, equal scores share one."""

    id: Id
    score: float
    vector_part: float
    keyword_part: float
    vector_score: float
    keyword_score: float
    rank: int
    vector_rank: int
    keyword_rank: int


def fuse(candidates: Iterable[Candidate[Id]], *, vector_weight: float = 0.5) -> list[Fused[Id]]:
    """Return the candidates, best first, with `score` between 0 and 1.

    `vector_weight` is the vectors' share, the keywords have the rest. A side whose scores are all equal says nothing
    about the order and gives every candidate 1 if they are above zero, else 0. Ties go to the better vector, then the
    better keyword score, then the smaller id. Raises FusionInputError for doubled ids or scores that are not
    finite.
    """
    found = sorted(candidates, key=lambda item: item.id)
    _check(found, vector_weight)
    vectors, keywords = [item.vector_score for item in found], [item.keyword_score for item in found]
    vector_ranks, keyword_ranks = _ranks(vectors), _ranks(keywords)
    parts = zip(found, _spread(vectors), _spread(keywords), strict=True)
    weighted = [(item, vector_weight * vector, (1 - vector_weight) * keyword) for item, vector, keyword in parts]
    weighted.sort(key=lambda row: (-(row[1] + row[2]), -row[0].vector_score, -row[0].keyword_score))
    return [
        Fused(
            item.id,
            vector + keyword,
            vector,
            keyword,
            item.vector_score,
            item.keyword_score,
            rank,
            vector_ranks[item.vector_score],
            keyword_ranks[item.keyword_score],
        )
        for rank, (item, vector, keyword) in enumerate(weighted, start=1)
    ]


def _check(candidates: Sequence[Candidate[Id]], vector_weight: float) -> None:
    if not 0 <= vector_weight <= 1:
        raise FusionInputError(vector_weight=vector_weight)
    if len({item.id for item in candidates}) != len(candidates):
        raise FusionInputError(reason="the same id twice")
    if any(not abs(score) < float("inf") for item in candidates for score in (item.vector_score, item.keyword_score)):
        raise FusionInputError(reason="a score that is not finite")


def _spread(scores: Sequence[float]) -> list[float]:
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    if high == low:
        return [1.0 if high > 0 else 0.0] * len(scores)
    return [(score - low) / (high - low) for score in scores]


def _ranks(scores: Sequence[float]) -> Mapping[float, int]:
    ranks: dict[float, int] = {}
    for rank, score in enumerate(sorted(scores, reverse=True), start=1):
        ranks.setdefault(score, rank)
    return ranks
