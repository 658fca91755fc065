"""From file to hit, in one process: indexing, hybrid search, scopes, deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from files import pipeline, services
from files.models import FileRecord, FileSegment, FileStatus
from orchestra.accounts.models import User
from search.candidates import find
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, SearchQuery, VectorChunk
from search.ranking.query_syntax import parse_query
from search.retrieval import Scope
from search.services import nearest, search

MakeFile = Callable[..., FileRecord]

TEXTS = {
    "cats.txt": "The cat sleeps on the warm window sill. Cats purr when they are content.",
    "engines.txt": "A diesel engine ignites its fuel by compression. The piston moves in the cylinder.",
    "tea.txt": "Green tea is steeped at eighty degrees. Black tea wants boiling water.",
}


@pytest.fixture
def library(alice: User, make_file: MakeFile) -> dict[str, FileRecord]:
    """Three files of alice's, read and indexed."""
    files = {name: make_file(alice, text.encode(), name) for name, text in TEXTS.items()}
    while pipeline.work("test"):
        pass
    for file in files.values():
        file.refresh_from_db()
        assert file.status == FileStatus.READY, file.error_message
    return files


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Where do cats sleep?", "cats.txt"),
        ("How does a diesel engine ignite?", "engines.txt"),
        ("At how many degrees is green tea steeped?", "tea.txt"),
    ],
)
def test_the_right_file_comes_first_for_a_natural_question(
    alice: User, library: dict[str, FileRecord], question: str, expected: str
) -> None:
    result = search(alice, question)
    assert result.hits[0].file_name == expected
    assert result.hits[0].snippet.spans, "the words that matched are marked"


def test_a_hit_says_where_it_stands_and_how_its_score_came_about(alice: User, library: dict[str, FileRecord]) -> None:
    hit = search(alice, "diesel").hits[0]
    assert hit.place["line"] == 1
    assert hit.parts.keyword > 0
    assert (hit.parts.vector_rank, hit.parts.keyword_rank) == (1, 1)
    start, end = hit.snippet.spans[0]
    assert hit.snippet.text[start:end].lower() == "diesel"


def test_others_see_nothing(bob: User, library: dict[str, FileRecord]) -> None:
    assert search(bob, "diesel engine").hits == nearest(bob, "diesel engine").hits == ()
    foreign = Scope(bob.pk, file_ids=(library["engines.txt"].pk,))
    assert search(bob, "diesel engine", scope=foreign).hits == ()


def test_scopes_narrow(alice: User, library: dict[str, FileRecord]) -> None:
    services.update(library["tea.txt"], tags=["kitchen"])
    tagged = search(alice, "diesel engine", scope=Scope(alice.pk, tags=("kitchen",)))
    assert {hit.file_name for hit in tagged.hits} == {"tea.txt"}
    chosen = search(alice, "tea", scope=Scope(alice.pk, file_ids=(library["cats.txt"].pk,)))
    assert {hit.file_name for hit in chosen.hits} == {"cats.txt"}
    assert search(alice, "tea", scope=Scope(alice.pk, kinds=("audio",))).hits == ()


def test_bm25_agrees_with_the_formula_by_hand(alice: User, library: dict[str, FileRecord]) -> None:
    import math

    candidates = find(parse_query("diesel"), Scope(alice.pk), 10)
    lengths = [index.lexeme_count for index in IndexedFile.objects.all()]
    mean = sum(lengths) / 3
    length = IndexedFile.objects.get(file=library["engines.txt"]).lexeme_count
    idf = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    expected = idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * length / mean))
    assert [one.keyword for one in candidates.found] == [pytest.approx(expected)]
    assert candidates.weights == {"diesel": pytest.approx(idf * 2.2)}


def test_rare_words_and_stop_words(alice: User, library: dict[str, FileRecord]) -> None:
    assert find(parse_query("the of and"), Scope(alice.pk), 10).found == ()
    assert search(alice, "the of and").hits, "meaning still answers"


def test_processing_again_doubles_nothing(alice: User, library: dict[str, FileRecord]) -> None:
    counts = [model.objects.count() for model in (VectorChunk, ChunkEmbedding, KeywordPosting, FileSegment)]
    services.retry(library["cats.txt"])
    assert pipeline.work("test")
    assert counts == [model.objects.count() for model in (VectorChunk, ChunkEmbedding, KeywordPosting, FileSegment)]


@pytest.mark.django_db(transaction=True)
def test_complete_deletion_leaves_no_row_vector_or_byte(
    alice: User, library: dict[str, FileRecord], upload_dir: Any
) -> None:
    for file in library.values():
        services.delete_completely(file)
    for model in (VectorChunk, ChunkEmbedding, KeywordPosting, IndexedFile, FileSegment, FileRecord):
        assert not model.objects.exists(), model
    assert not [path for path in upload_dir.rglob("*") if path.is_file()]
    assert search(alice, "diesel").hits == ()


def test_api_answers_with_hits_and_remembers_the_question(as_alice: APIClient, library: dict[str, FileRecord]) -> None:
    body = as_alice.post("/api/search", {"query": "purring cats", "limit": 2}).json()
    assert body["hits"][0]["file"]["name"] == "cats.txt"
    assert len(body["hits"]) == 2
    assert {"embed", "retrieve", "fuse", "hits", "total"} <= set(body["timings"])
    assert SearchQuery.objects.get().result_ids


def test_files_search_uses_vectors_alone(as_alice: APIClient, library: dict[str, FileRecord]) -> None:
    hits = as_alice.post("/api/files/search", {"query": "cat on a window"}).json()["hits"]
    assert hits[0]["file"]["name"] == "cats.txt"
    assert all(hit["parts"]["keyword_rank"] is None for hit in hits)


@pytest.mark.parametrize(
    ("body", "code"),
    [({"query": "  "}, "invalid"), ({}, "invalid"), ({"query": "x", "mode": "psychic"}, "invalid")],
)
def test_wrong_questions_are_explained(as_alice: APIClient, body: dict[str, str], code: str) -> None:
    response = as_alice.post("/api/search", body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("query", ["\x00", "'; DROP TABLE x; --", "%s %(owner)s", "((((", "\\", "a" * 4000, "🙂" * 500])
def test_hostile_questions_are_only_questions(alice: User, library: dict[str, FileRecord], query: str) -> None:
    from search.errors import EmptyQuery

    try:
        search(alice, query)
    except EmptyQuery:
        assert not query.strip("\x00 ")
    assert VectorChunk.objects.count() == 3
