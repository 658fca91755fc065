"""The measures, on rankings small enough to compute by hand."""

from __future__ import annotations

import math

import pytest

from search.evaluation.metrics import answer_share, measure, ndcg
from search.evaluation.significance import compare


def test_a_perfect_ranking_scores_one() -> None:
    assert measure(["a", "b"], {"a": 2, "b": 1}) == {"nDCG@10": 1, "Recall@10": 1, "Recall@100": 1, "MRR@10": 1}


def test_an_empty_ranking_scores_nothing() -> None:
    assert set(measure([], {"a": 1}).values()) == {0}


def test_gain_is_linear_and_discounted_by_the_logarithm_of_the_rank() -> None:
    found = measure(["x", "a", "b"], {"a": 1, "b": 3, "c": 1})

    best = 3 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert found["nDCG@10"] == pytest.approx((1 / math.log2(3) + 3 / math.log2(4)) / best)
    assert found["Recall@10"] == pytest.approx(2 / 3)
    assert found["MRR@10"] == 0.5


def test_what_stands_below_the_cutoff_counts_only_for_the_wider_recall() -> None:
    found = measure([f"x{n}" for n in range(10)] + ["a"], {"a": 1})

    assert found == {"nDCG@10": 0, "Recall@10": 0, "Recall@100": 1, "MRR@10": 0}
    assert ndcg([0] * 10 + [1], [1], 10) == 0


def test_the_share_of_an_answer_is_counted_in_characters_whatever_the_white_space() -> None:
    text = "First a line.\n\nThe  answer is forty two, they said.\nAnd more."
    start = text.index("The  answer")
    spans = {"d": [(start, start + 20)]}

    assert answer_share([("d", "The answer is forty two, they said.")], {"d": text}, spans) == 1
    assert answer_share([("d", "The answer\nis forty two")], {"d": text}, spans) < 1
    assert answer_share([("other", "The answer is forty two, they said.")], {"d": text}, spans) == 0
    assert answer_share([], {"d": text}, spans) == 0


def test_a_clear_difference_is_told_from_chance() -> None:
    clear = compare([0.9, 0.8] * 20, [0.5, 0.4] * 20, samples=500)
    chance = compare([0.5, 0.4] * 20, [0.4, 0.5] * 20, samples=500)

    assert clear.difference == pytest.approx(0.4)
    assert clear.p < 0.01
    assert clear.low <= clear.difference <= clear.high
    assert chance.p > 0.5
