"""What tests of language models share."""

from __future__ import annotations

import pytest


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Try again at once; return how long it would have waited."""
    waited: list[float] = []
    monkeypatch.setattr("integrations.llm.openai_protocol.sleep", waited.append)
    return waited
