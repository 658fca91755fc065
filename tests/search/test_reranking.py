"""The best passages are put into a reranker's order; one that does not answer costs the order, not the hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from search.rerankers.base import Reranker, RerankerUnavailable
from search.services import search


class ByLength(Reranker):
    """Takes the longest passage for the best."""

    name = "by length"
    local = True

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Return lengths."""
        return [float(len(passage)) for passage in passages]


class Away(Reranker):
    """Never answers."""

    name = "away"
    local = True

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Raise."""
        raise RerankerUnavailable


@pytest.fixture
def shelf(alice: User, make_file: Callable[..., FileRecord]) -> None:
    texts = ("A cat.", "A cat sleeps on the warm sill of the window.", "A dog barks.", "The cat purrs loudly.")
    for number, text in enumerate(texts):
        make_file(alice, text.encode(), f"{number}.txt")
    while pipeline.work("test"):
        pass


def test_nothing_is_read_again_by_default(alice: User, shelf: None) -> None:
    hits = search(alice, "cat").hits
    assert [hit.parts.rerank for hit in hits] == [None] * 4
    assert [hit.parts.fused_rank for hit in hits] == [1, 2, 3, 4]


def test_the_best_are_reordered_and_keep_their_fused_place(alice: User, shelf: None, settings: Any) -> None:
    settings.RERANKERS = {"default": {"BACKEND": f"{__name__}.ByLength"}}
    settings.RERANK_DEPTH = 3
    result = search(alice, "cat", explain=True)
    assert result.explanation is not None
    assert result.explanation.reranker == "by length"
    lengths = [hit.parts.rerank for hit in result.hits]
    assert lengths == [44.0, 21.0, 6.0, None]
    assert sorted(hit.parts.fused_rank for hit in result.hits[:3]) == [1, 2, 3]
    assert result.hits[0].parts.fused_rank != 1


def test_one_that_is_away_is_said_to_be(alice: User, shelf: None, settings: Any) -> None:
    settings.RERANKERS = {"default": {"BACKEND": f"{__name__}.Away"}}
    result = search(alice, "cat")
    assert len(result.hits) == 4
    assert result.notes[0].startswith("The best passages were not read again.")
