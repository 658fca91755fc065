"""One question through several modes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from search.comparing import compare
from search.models import SearchQuery


@pytest.fixture
def library(alice: User, make_file: Callable[..., FileRecord]) -> None:
    for name in ("harbour", "tides", "pumps"):
        make_file(alice, f"A text about {name} and the harbour master.".encode(), f"{name}.txt")
    while pipeline.work("test"):
        pass


def test_each_mode_answers_and_overlaps_are_shares(alice: User, library: None) -> None:
    found = compare(alice, "harbour tides", ["basic", "deep", "basic", "private"], limit=2)
    assert [result.mode for result in found.results] == ["basic", "deep", "private"]
    assert [one.modes for one in found.overlaps] == [("basic", "deep"), ("basic", "private"), ("deep", "private")]
    assert [one.passages for one in found.overlaps] == [1, 1, 1]
    assert all(result.timings["total"] > 0 for result in found.results)
    assert not SearchQuery.objects.exists()


def test_nothing_found_is_alike(alice: User) -> None:
    assert [one.files for one in compare(alice, "tides", ["basic", "creative"]).overlaps] == [1]


def test_the_api_compares_and_refuses_what_makes_no_sense(as_alice: APIClient, library: None) -> None:
    body = as_alice.post("/api/search/compare", {"query": "tides", "modes": ["basic", "creative"]}).json()
    assert body["overlaps"][0]["modes"] == ["basic", "creative"]
    assert [result["mode"] for result in body["results"]] == ["basic", "creative"]
    assert body["results"][1]["answer"]["citations"]
    for modes in ([], ["basic"], ["basic", "psychic"]):
        assert as_alice.post("/api/search/compare", {"query": "tides", "modes": modes}).status_code == 400
    refused = as_alice.post("/api/search/compare", {"query": "tides", "modes": ["basic", "uncensored"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "mode_not_allowed")
