"""The reranker's check is there where one is configured, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from orchestra.monitoring.checks import CheckRegistry
from search import health
from search.rerankers import reranker
from search.rerankers.base import Reranker, RerankerUnavailable


class CountingReranker(Reranker):
    """Scores by length, or not at all."""

    name = "counting"
    local = True
    broken: ClassVar[bool] = False

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        if self.broken:
            raise RerankerUnavailable("It is away.", hint="Fetch it.")
        return [float(len(passage)) for passage in passages]


@pytest.fixture
def configured(settings: Any) -> None:
    settings.RERANKERS = {"default": {"BACKEND": f"{__name__}.CountingReranker"}}


def registered(monkeypatch: pytest.MonkeyPatch) -> CheckRegistry:
    registry = CheckRegistry()
    monkeypatch.setattr(health, "registry", registry)
    health.register()
    return registry


def test_without_a_reranker_there_is_none_to_use_or_check(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.RERANKERS = {}
    assert reranker() is None
    assert "reranker" not in registered(monkeypatch).names()


def test_a_reranker_that_gives_scores_passes(monkeypatch: pytest.MonkeyPatch, configured: None) -> None:
    assert isinstance(reranker(), CountingReranker)
    (result,) = registered(monkeypatch).run(["reranker"])
    assert result.outcome.ok
    assert "counting" in result.outcome.message


def test_a_reranker_that_is_away_fails_with_its_hint(monkeypatch: pytest.MonkeyPatch, configured: None) -> None:
    monkeypatch.setattr(CountingReranker, "broken", True)
    (result,) = registered(monkeypatch).run(["reranker"])
    assert (result.outcome.ok, result.outcome.message, result.outcome.remedy) == (False, "It is away.", "Fetch it.")
