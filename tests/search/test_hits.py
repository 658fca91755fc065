"""Hits: equal passages are folded, passages of one file grouped, rankings explained, files filtered by date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from search.retrieval import Scope
from search.services import search

MakeFile = Callable[..., FileRecord]

PARAGRAPHS = [f"Chapter {n}. The lighthouse of port {n} was built in {1800 + n} of granite. " * 9 for n in range(6)]


@pytest.fixture
def shelf(alice: User, make_file: MakeFile) -> dict[str, FileRecord]:
    """A long file, and three of which two have the same words."""
    texts = {
        "long.txt": "\n\n".join(PARAGRAPHS),
        "one.txt": "A lighthouse keeper's  diary.",
        "copy.txt": "A lighthouse keeper's\ndiary. ",
        "other.txt": "The granite quarry closed.",
    }
    files = {name: make_file(alice, text.encode(), name) for name, text in texts.items()}
    while pipeline.work("test"):
        pass
    return files


def test_the_same_words_are_one_hit(alice: User, shelf: dict[str, FileRecord]) -> None:
    hits = search(alice, "keeper diary").hits
    assert hits[0].file_name in ("one.txt", "copy.txt")
    assert {twin.file_name for twin in hits[0].twins} | {hits[0].file_name} == {"one.txt", "copy.txt"}
    assert sum("diary" in hit.text for hit in hits) == 1


def test_as_many_hits_as_asked_for_although_some_are_folded(alice: User, shelf: dict[str, FileRecord]) -> None:
    assert len(search(alice, "keeper diary lighthouse granite", limit=3).hits) == 3


def test_passages_of_a_file_stand_below_its_best_one(alice: User, shelf: dict[str, FileRecord]) -> None:
    flat = search(alice, "lighthouse granite", limit=10).hits
    grouped = search(alice, "lighthouse granite", limit=10, by_file=True).hits
    assert len({hit.file_id for hit in grouped}) == len(grouped) == 3
    first = next(hit for hit in grouped if hit.file_name == "long.txt")
    assert len(first.more) == 3
    assert [hit.score for hit in first.more] == sorted((hit.score for hit in first.more), reverse=True)
    assert first.score == max(hit.score for hit in flat if hit.file_name == "long.txt")
    assert [hit.score for hit in grouped] == sorted((hit.score for hit in grouped), reverse=True)


def test_an_explanation_adds_up(alice: User, shelf: dict[str, FileRecord]) -> None:
    result = search(alice, "granite quarry", explain=True)
    assert result.explanation is not None
    assert set(result.explanation.terms) == {"granit", "quarri"}
    assert result.explanation.terms["quarri"] > result.explanation.terms["granit"], "the rarer word weighs more"
    assert (result.explanation.method, result.explanation.weight) == ("exact", 0.5)
    for rank, hit in enumerate(result.hits, 1):
        assert hit.parts.fused_rank >= rank
        assert hit.score == pytest.approx(hit.parts.vector_part + hit.parts.keyword_part, abs=0.001)


def test_files_are_filtered_by_when_they_were_added(alice: User, shelf: dict[str, FileRecord]) -> None:
    old = timezone.now() - timedelta(days=30)
    FileRecord.objects.filter(name="other.txt").update(created_at=old)
    week = timezone.now() - timedelta(days=7)
    before = search(alice, "granite", scope=Scope(alice.pk, added_before=week)).hits
    since = search(alice, "granite", scope=Scope(alice.pk, added_from=week)).hits
    assert {hit.file_name for hit in before} == {"other.txt"}
    assert "other.txt" not in {hit.file_name for hit in since}
    assert since


def test_two_round_trips_bring_the_hits_however_many(alice: User, shelf: dict[str, FileRecord]) -> None:
    search(alice, "the lighthouse of granite", remember=False)
    for limit in (1, 50):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert search(alice, "the lighthouse of granite", limit=limit, remember=False).hits
        assert len(queries) == 2, [query["sql"][:200] for query in queries]


def test_the_api_groups_and_explains(as_alice: APIClient, shelf: dict[str, FileRecord]) -> None:
    body = as_alice.post("/api/search", {"query": "lighthouse granite", "group_by": "file", "explain": True}).json()
    assert body["explanation"]["terms"].keys() == {"lighthous", "granit"}
    assert max(len(hit["more"]) for hit in body["hits"]) == 3
    plain = as_alice.post("/api/search", {"query": "keeper diary"}).json()
    assert plain["explanation"] is None
    assert plain["hits"][0]["same"]
    assert all(hit["more"] == [] for hit in plain["hits"])
    wrong = as_alice.post("/api/search", {"query": "x", "filters": {"added_from": "yesterday"}})
    assert wrong.status_code == 400
