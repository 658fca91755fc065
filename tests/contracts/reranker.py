"""What every reranker promises. A test class inherits this and gives the fixture `reranker`."""

from __future__ import annotations

import math
import os
import signal
import threading

import pytest

from search.rerankers.base import Reranker

QUERY = "Where does the cat sleep?"
PASSAGES = [
    "The cat sleeps on the warm mat.",
    "",
    " \n\t ",
    "Zażółć gęślą jaźń — naïve café, ΑΒΓ, 😀👩‍👩‍👧 emoji",
    "搜索引擎把文件分成段落。",
    "\ud800 broken \x00 signs",
    "word " * 900,
    "x" * 5000,
]


class RerankerContract:
    """Inherit, and define the fixture `reranker`."""

    def test_it_says_what_it_is(self, reranker: Reranker) -> None:
        assert reranker.name
        assert reranker.local in (True, False)

    def test_each_passage_gets_one_finite_score(self, reranker: Reranker) -> None:
        found = reranker.scores(QUERY, PASSAGES)
        assert len(found) == len(PASSAGES)
        assert all(type(score) is float and math.isfinite(score) for score in found)

    def test_no_passages_get_no_scores(self, reranker: Reranker) -> None:
        assert reranker.scores(QUERY, []) == []

    @pytest.mark.parametrize("query", ["", "?" * 4000, "\ud800", "猫在哪里睡觉"])
    def test_any_question_is_taken(self, reranker: Reranker, query: str) -> None:
        assert len(reranker.scores(query, PASSAGES[:2])) == 2

    def test_a_score_belongs_to_its_passage_whatever_the_order_and_the_others(self, reranker: Reranker) -> None:
        forwards = reranker.scores(QUERY, PASSAGES)
        assert reranker.scores(QUERY, PASSAGES[::-1])[::-1] == pytest.approx(forwards, abs=1e-4)
        assert reranker.scores(QUERY, PASSAGES[:1]) == pytest.approx(forwards[:1], abs=1e-4)

    def test_threads_may_share_it(self, reranker: Reranker) -> None:
        expected = reranker.scores(QUERY, PASSAGES)
        found: list[list[float]] = []
        threads = [threading.Thread(target=lambda: found.append(reranker.scores(QUERY, PASSAGES))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert all(scores == pytest.approx(expected, abs=1e-4) for scores in found)

    def test_a_fork_of_a_process_that_used_it_can_use_it(self, reranker: Reranker) -> None:
        expected = reranker.scores(QUERY, PASSAGES)
        child = os.fork()
        if child == 0:
            same = False
            signal.alarm(60)  # a child that hangs must not outlive the test
            try:
                same = reranker.scores(QUERY, PASSAGES) == pytest.approx(expected, abs=1e-4)
            finally:
                os._exit(0 if same else 1)
        assert os.waitpid(child, 0)[1] == 0
