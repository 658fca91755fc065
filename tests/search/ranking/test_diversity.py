"""Diverse orders and groups, on vectors made for it."""

from __future__ import annotations

import numpy as np
import pytest

from search.ranking.diversity import diversified, grouped, spread

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]
VECTORS = np.array([EAST, EAST, NORTH, EAST], np.float32)


def test_the_best_comes_first_and_what_repeats_it_later() -> None:
    assert diversified([1.0, 0.9, 0.6, 0.1], VECTORS, 4) == [0, 2, 1, 3]
    assert diversified([1.0, 0.9, 0.6, 0.1], VECTORS, 2, relevance=1.0) == [0, 1]
    assert diversified([], np.zeros((0, 2), np.float32), 3) == []


def test_spread_is_the_mean_distance_of_pairs() -> None:
    assert spread(VECTORS[:1]) == 0
    assert spread(VECTORS[:2]) == pytest.approx(0)
    assert spread(VECTORS) == pytest.approx(0.5)


def test_what_is_alike_stands_together() -> None:
    assert grouped(VECTORS, 4) == [[0, 1, 3], [2]]
    assert grouped(VECTORS, 1) == [[0, 1, 2, 3]]
    assert grouped(VECTORS[:1], 3) == [[0]]
