"""A fused order to another one, by a reranker's scores of its best passages.

After `fusion` and a reranker (`search.rerankers`), before hits are built. What moved keeps its fused place, so that an
explanation can show both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from orchestra.common.errors import OrchestraError
from search.ranking.fusion import Fused, Key

Id = TypeVar("Id", bound=Key)


class RerankingInputError(OrchestraError):
    """The scores or the weight given to reranking make no sense: a mistake in the calling code."""

    code = "reranking_input_invalid"
    default_message = "The search results could not be ordered again."


@dataclass(frozen=True, slots=True)
class Reranked(Generic[Id]):
    """A fused passage in its new place. `rank` counts from 1; its old place is `fused.rank`.

    `score` is the reranker's, on its own scale; None for a passage that it did not read.
    """

    fused: Fused[Id]
    rank: int
    score: float | None


def rerank(order: Sequence[Fused[Id]], scores: Sequence[float], weight: float = 1.0) -> list[Reranked[Id]]:
    """Return `order` with its first `len(scores)` passages ordered anew; the rest follow in their order.

    `weight` is the reranker's share against the fused score: both are spread over 0 to 1 among the passages that were
    read, as in `fusion`. Equals keep their order. Raises RerankingInputError for more scores than passages, a score
    that is not finite, or a weight outside 0 to 1.
    """
    if len(scores) > len(order) or not 0 <= weight <= 1 or any(not abs(score) < float("inf") for score in scores):
        raise RerankingInputError(passages=len(order), scores=len(scores), weight=weight)
    read = order[: len(scores)]
    parts = zip(_spread(scores), _spread([item.score for item in read]), strict=True)
    values = [weight * reranked + (1 - weight) * fused for reranked, fused in parts]
    places = sorted(range(len(read)), key=lambda place: -values[place])
    moved: list[tuple[Fused[Id], float | None]] = [(read[place], scores[place]) for place in places]
    rest: list[tuple[Fused[Id], float | None]] = [(item, None) for item in order[len(scores) :]]
    return [Reranked(item, rank, score) for rank, (item, score) in enumerate([*moved, *rest], start=1)]


def _spread(values: Sequence[float]) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    # Halved, so that the width of the range of any two numbers is itself finite.
    return [(value / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else 0.0 for value in values]
