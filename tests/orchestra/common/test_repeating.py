"""Work beside requests and jobs: again and again, and once more at the end."""

from __future__ import annotations

import threading

from orchestra.common.repeating import Repeating


def test_it_works_again_and_again_and_once_more_at_the_end() -> None:
    told: list[bool] = []
    twice = threading.Event()

    def work(last: bool) -> None:
        told.append(last)
        if len(told) == 2:
            twice.set()

    repeating = Repeating("test", 0.01, work)
    repeating.start()
    runs = [repeating.runs]
    assert twice.wait(30)
    repeating.stop()
    runs.append(repeating.runs)
    assert runs == [True, False]
    assert (told[:2], told[-1], told.count(True)) == ([False, False], True, 1)


def test_what_was_stopped_can_be_started_anew() -> None:
    told: list[bool] = []
    repeating = Repeating("test", 60, told.append)
    for _ in range(2):
        repeating.start()
        repeating.stop()
    repeating.stop()
    assert told == [True, True]
