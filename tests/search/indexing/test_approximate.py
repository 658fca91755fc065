"""The memory that an index of nearest neighbours is built within."""

from __future__ import annotations

import pytest

from search.indexing.approximate import build_memory

MB = 1024**2
GB = 1024 * MB


def test_a_large_graph_gets_what_it_takes() -> None:
    needed = build_memory(500_000, 384, 8 * GB)
    assert 500_000 * 384 * 2 < needed < 2 * GB, "the vectors and their links, and not the whole machine"


def test_more_passages_and_longer_vectors_take_more() -> None:
    assert build_memory(200_000, 384, 8 * GB) < build_memory(400_000, 384, 8 * GB)
    assert build_memory(200_000, 384, 8 * GB) < build_memory(200_000, 768, 8 * GB)


@pytest.mark.parametrize("passages", [1_000_000, 100_000_000])
def test_it_never_gets_more_than_the_setting_allows(passages: int) -> None:
    assert build_memory(passages, 384, 512 * MB) == 512 * MB


def test_a_small_one_gets_the_least_whatever_the_setting() -> None:
    assert build_memory(10, 384, 8 * GB) == build_memory(0, 384, 1) == 64 * MB
