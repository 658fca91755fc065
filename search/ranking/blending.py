"""Orders of several questions to one order. After `fusion` of each; before reranking and hits.

The question itself keeps its say: a passage has its score there, and what the best of the other questions gives it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from search.ranking.fusion import Fused, Key

Id = TypeVar("Id", bound=Key)


def blend(first: Sequence[Fused[Id]], others: Sequence[Sequence[Fused[Id]]], share: float = 0.3) -> list[Fused[Id]]:
    """Return the passages of all orders, best first; `share` is what the other questions say against the first.

    `score` is (1 - share) of the first question's and `share` of the best other one's, 0 where a passage is missing.
    Everything else of a passage is as the first order that has it says, but `rank` is its new place.
    """
    if not any(others):
        return list(first)
    best: dict[Id, float] = {}
    known: dict[Id, Fused[Id]] = {one.id: one for one in first}
    own = {one.id: one.score for one in first}
    for order in others:
        for one in order:
            best[one.id] = max(best.get(one.id, 0.0), one.score)
            known.setdefault(one.id, one)
    scores = {key: (1 - share) * own.get(key, 0.0) + share * best.get(key, 0.0) for key in known}
    ordered = sorted(known.values(), key=lambda one: (-scores[one.id], one.id))
    return [one._replace(score=scores[one.id], rank=rank) for rank, one in enumerate(ordered, 1)]


def widened(
    first: Sequence[Fused[Id]],
    others: Sequence[Sequence[Fused[Id]]],
    kept: int,
    group_of: Callable[[Id], Hashable],
    most_of_a_group: int = 1,
) -> list[Fused[Id]]:
    """Return the `kept` best of the first question in their order, then what widens the view.

    That is the blend of all orders with at most so many passages of a group, such as a file, before all others.
    """
    head = list(first[:kept])
    taken = {one.id for one in head}
    counts = Counter(group_of(one.id) for one in head)
    wide: list[Fused[Id]] = []
    more: list[Fused[Id]] = []
    for one in blend(first, others):
        if one.id not in taken:
            counts[group_of(one.id)] += 1
            (wide if counts[group_of(one.id)] <= most_of_a_group else more).append(one)
    return [one._replace(rank=rank) for rank, one in enumerate([*head, *wide, *more], 1)]
