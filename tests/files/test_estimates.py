"""Estimates come from what was measured, or not at all."""

from __future__ import annotations

import pytest

from files.estimates import ENOUGH, Rates, group_of, rates_of, remaining
from files.models import FileRecord
from files.status_text import about

PDF = FileRecord(kind="pdf", size=1_000_000)
MEASURED = rates_of([("pdf", 900_000, 10.0)] * 3 + [("pdf", 1_000_000, 20.0)] * 3 + [("text", 1000, 1.0)] * ENOUGH)


def test_a_file_is_compared_with_those_of_its_kind_and_size() -> None:
    assert MEASURED.of(PDF) == 15.0
    assert MEASURED.of(FileRecord(kind="pdf", size=100_000_000)) is None
    assert MEASURED.of(FileRecord(kind="mail", size=1_000_000)) is None
    assert group_of("pdf", 0) == ("pdf", 0)


def test_too_few_measurements_are_none() -> None:
    few = rates_of([("pdf", 1_000_000, 10.0)] * (ENOUGH - 1))
    assert (few.of(PDF), few.mean) == (None, None)
    assert remaining(few, PDF, slots=2, before=0) is None


def test_waiting_takes_the_others_time_and_ones_own() -> None:
    assert remaining(MEASURED, PDF, slots=2, before=0) == 15
    mean = MEASURED.mean
    assert mean is not None
    assert remaining(MEASURED, PDF, slots=2, before=10) == round(10 * mean / 2 + 15)


@pytest.mark.parametrize(("slots", "before"), [(0, 3), (2, None)])
def test_nothing_is_said_without_a_worker_or_a_place(slots: int, before: int | None) -> None:
    assert remaining(MEASURED, PDF, slots=slots, before=before) is None


def test_what_is_being_read_needs_the_rest_and_what_takes_longer_than_others_has_no_estimate() -> None:
    assert remaining(MEASURED, PDF, slots=1, elapsed=4.0) == 11
    assert remaining(MEASURED, PDF, slots=1, elapsed=16.0) is None


def test_an_unmeasured_product_estimates_nothing() -> None:
    assert remaining(Rates(), PDF, slots=2, before=0) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "About 5 s."), (12, "About 10 s."), (89, "About 90 s."), (100, "About 2 min."), (7200, "About 2 h.")],
)
def test_lengths_are_told_as_roughly_as_they_are_known(seconds: int, words: str) -> None:
    assert about(seconds) == words
