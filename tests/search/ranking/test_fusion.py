from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.ranking.fusion import Candidate, FusionInputError, fuse


def order(*candidates: Candidate[str], vector_weight: float = 0.5) -> list[str]:
    return [fused.id for fused in fuse(candidates, vector_weight=vector_weight)]


def test_both_sides_are_spread_over_the_union_and_added_by_weight() -> None:
    fused = fuse([Candidate("a", 0.9, 2.0), Candidate("b", 0.5, 10.0), Candidate("c", 0.1, 0.0)])
    assert [(item.id, item.vector_part, item.keyword_part) for item in fused] == [
        ("b", pytest.approx(0.25), pytest.approx(0.5)),
        ("a", pytest.approx(0.5), pytest.approx(0.1)),
        ("c", 0.0, 0.0),
    ]
    assert [item.score for item in fused] == [pytest.approx(0.75), pytest.approx(0.6), 0.0]


def test_raw_scores_and_ranks_are_kept_and_equal_scores_share_a_rank() -> None:
    fused = fuse([Candidate("a", 0.9, 0.0), Candidate("b", 0.5, 3.0), Candidate("c", 0.5, 0.0)])
    assert [(f.id, f.rank, f.vector_rank, f.keyword_rank) for f in fused] == [
        ("a", 1, 1, 2),
        ("b", 2, 2, 1),
        ("c", 3, 2, 2),
    ]
    assert (fused[1].vector_score, fused[1].keyword_score) == (0.5, 3.0)


def test_no_candidates_give_no_order() -> None:
    assert fuse([]) == []


def test_a_single_candidate_has_the_whole_score() -> None:
    (fused,) = fuse([Candidate("a", 0.4, 7.0)])
    assert (fused.score, fused.rank) == (1.0, 1)


def test_without_keyword_matches_the_vectors_decide() -> None:
    fused = fuse([Candidate("a", 0.1, 0.0), Candidate("b", 0.4, 0.0)])
    assert [(f.id, f.score, f.keyword_part) for f in fused] == [("b", 0.5, 0.0), ("a", 0.0, 0.0)]


def test_equal_vectors_leave_the_keywords_to_decide() -> None:
    assert order(Candidate("a", 0.3, 1.0), Candidate("b", 0.3, 2.0)) == ["b", "a"]


@pytest.mark.parametrize(("weight", "first"), [(0.0, "word"), (1.0, "meaning")])
def test_the_weight_is_the_share_of_the_vectors(weight: float, first: str) -> None:
    assert order(Candidate("word", 0.1, 5.0), Candidate("meaning", 0.9, 1.0), vector_weight=weight)[0] == first


def test_ties_go_to_the_better_vector_then_the_smaller_id() -> None:
    candidates = [
        Candidate("d", 0.0, 1.0),
        Candidate("c", 1.0, 0.0),
        Candidate("b", 0.0, 0.0),
        Candidate("a", 0.0, 0.0),
    ]
    for seed in range(5):
        random.Random(seed).shuffle(candidates)
        assert order(*candidates) == ["c", "d", "a", "b"]


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_0_to_1_is_refused(weight: float) -> None:
    with pytest.raises(FusionInputError):
        fuse([Candidate("a", 0.1, 0.2)], vector_weight=weight)


def test_doubled_ids_and_scores_that_are_no_numbers_are_refused() -> None:
    for candidates in ([Candidate("a", 1, 1), Candidate("a", 0, 0)], [Candidate("a", float("nan"), 0.0)]):
        with pytest.raises(FusionInputError):
            fuse(candidates)


SCORES = st.floats(-1, 1) | st.sampled_from([0.0, 0.5])


@given(st.dictionaries(st.integers(), st.tuples(SCORES, st.floats(0, 50)), max_size=30), st.floats(0, 1))
def test_scores_lie_between_0_and_1_and_order_does_not_depend_on_the_input_order(
    scores: dict[int, tuple[float, float]], weight: float
) -> None:
    candidates = [Candidate(key, *pair) for key, pair in scores.items()]
    fused = fuse(candidates, vector_weight=weight)
    assert fused == fuse(candidates[::-1], vector_weight=weight)
    assert {item.id for item in fused} == set(scores)
    assert all(-1e-9 <= item.score <= 1 + 1e-9 for item in fused)
    assert [item.score for item in fused] == sorted((item.score for item in fused), reverse=True)
    assert [item.rank for item in fused] == list(range(1, len(fused) + 1))
