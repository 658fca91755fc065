"""A process takes no files while what all of them need is away."""

from __future__ import annotations

import pytest

from files.breaker import FAULTS_IN_A_ROW, PAUSE_SECONDS, Breaker


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("files.breaker.time.monotonic", lambda: now[0])
    return now


def broken() -> Breaker:
    breaker = Breaker()
    for _ in range(FAULTS_IN_A_ROW):
        assert breaker.allows()
        breaker.note_fault("connection_lost")
    return breaker


def test_faults_in_a_row_stop_it_for_a_while(clock: list[float]) -> None:
    breaker = broken()
    assert not breaker.allows()
    clock[0] += PAUSE_SECONDS
    assert breaker.allows(), "one is tried"


def test_a_try_that_fails_begins_another_pause(clock: list[float]) -> None:
    breaker = broken()
    clock[0] += PAUSE_SECONDS
    breaker.note_fault("connection_lost")
    assert not breaker.allows()


def test_a_file_that_gets_through_ends_it(clock: list[float]) -> None:
    breaker = broken()
    clock[0] += PAUSE_SECONDS
    breaker.note_work()
    for _ in range(FAULTS_IN_A_ROW - 1):
        breaker.note_fault("connection_lost")
    assert breaker.allows()
