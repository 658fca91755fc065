"""Who waits at the same time is served together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from search.indexing.together import Together


class Runner:
    """Doubles numbers, once it may; knows in which groups."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.begun = threading.Event()
        self.groups: list[list[int]] = []

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        self.begun.set()
        assert self.may.wait(10)
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


def _served(numbers: Sequence[int], *, most: int = 8) -> tuple[list[int | str], list[list[int]]]:
    """Ask for the first number, and while it is under way for the others."""
    runner = Runner()
    together = Together(runner, alike=lambda number: number % 2, most=most)
    with ThreadPoolExecutor(len(numbers)) as pool:
        asked = [pool.submit(together, numbers[0])]
        assert runner.begun.wait(10)
        asked += [pool.submit(together, number) for number in numbers[1:]]
        while len(together._waiting) < len(numbers) - 1:
            threading.Event().wait(0.001)
        runner.may.set()
        results = [str(one.exception(10)) if one.exception(10) else one.result(10) for one in asked]
    return results, runner.groups


def test_who_comes_alone_is_served_alone() -> None:
    runner = Runner()
    runner.may.set()

    assert Together(runner, alike=lambda number: 0, most=8)(21) == 42
    assert runner.groups == [[21]]


def test_those_that_wait_and_are_alike_share_a_run() -> None:
    results, groups = _served([2, 4, 6, 8, 5, 7])

    assert results == [4, 8, 12, 16, 10, 14]
    assert sorted(map(sorted, groups)) == [[2], [4, 6, 8], [5, 7]]


def test_a_group_has_a_bound() -> None:
    results, groups = _served([2, 4, 6, 8, 10, 12], most=2)

    assert results == [4, 8, 12, 16, 20, 24]
    assert max(map(len, groups)) == 2


def test_a_run_that_fails_fails_for_one_of_its_callers_and_is_done_again_for_the_others() -> None:
    results, groups = _served([2, 13, 13, 13])

    assert results == [4, "13", "13", "13"]
    assert [len(group) for group in groups] == [1, 3, 2, 1]


def test_the_next_is_served_after_a_failure() -> None:
    runner = Runner()
    runner.may.set()
    together = Together(runner, alike=lambda number: 0, most=8)

    with pytest.raises(ValueError, match="13"):
        together(13)
    assert together(1) == 2
