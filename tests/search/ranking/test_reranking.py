from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.ranking.fusion import Candidate, Fused, fuse
from search.ranking.reranking import RerankingInputError, rerank

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def fused(count: int) -> list[Fused[str]]:
    return fuse([Candidate(f"p{n}", 1 - n / 100, float(count - n)) for n in range(count)])


def test_the_first_are_ordered_by_their_scores_and_the_rest_follow() -> None:
    found = rerank(fused(5), [0.1, 0.9, 0.5])
    assert [item.fused.id for item in found] == ["p1", "p2", "p0", "p3", "p4"]
    assert [item.rank for item in found] == [1, 2, 3, 4, 5]
    assert [item.fused.rank for item in found] == [2, 3, 1, 4, 5]
    assert [item.score for item in found] == [0.9, 0.5, 0.1, None, None]


def test_equals_keep_their_order() -> None:
    assert [item.fused.rank for item in rerank(fused(4), [3, 3, 3, 3])] == [1, 2, 3, 4]


def test_the_weight_is_the_rerankers_share() -> None:
    order, scores = fused(3), [0.0, 0.4, 1.0]
    assert [item.fused.id for item in rerank(order, scores, 0)] == ["p0", "p1", "p2"]
    assert [item.fused.id for item in rerank(order, scores, 1)] == ["p2", "p1", "p0"]
    assert [item.fused.id for item in rerank(order, scores, 0.45)] == ["p0", "p1", "p2"]
    assert [item.fused.id for item in rerank(order, scores, 0.6)] == ["p2", "p1", "p0"]


def test_nothing_is_ordered_without_scores() -> None:
    assert rerank([], []) == []
    assert [item.fused.id for item in rerank(fused(2), [])] == ["p0", "p1"]


@pytest.mark.parametrize(
    ("scores", "weight"), [([1.0] * 4, 1), ([float("nan")], 1), ([float("inf")], 1), ([1.0], 1.1), ([1.0], -0.1)]
)
def test_what_makes_no_sense_is_refused(scores: list[float], weight: float) -> None:
    with pytest.raises(RerankingInputError):
        rerank(fused(3), scores, weight)


@given(st.lists(FINITE, max_size=12), st.integers(0, 5), st.floats(0, 1))
def test_it_is_a_permutation_whatever_the_scores(scores: list[float], behind: int, weight: float) -> None:
    order = fused(len(scores) + behind)
    found = rerank(order, scores, weight)
    assert sorted(item.fused.rank for item in found) == [item.rank for item in found] == list(range(1, len(order) + 1))
    assert [item.fused for item in found[len(scores) :]] == order[len(scores) :]
