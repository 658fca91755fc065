"""Readers run in the test's own process here, which has read other files before."""

from __future__ import annotations

import time

import pytest


@pytest.fixture(autouse=True)
def _processor_time_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count processor time from the test's beginning, as a reader's process counts it from its own."""
    whole, began = time.process_time, time.process_time()
    monkeypatch.setattr(time, "process_time", lambda: whole() - began)
