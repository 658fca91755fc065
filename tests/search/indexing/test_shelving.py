"""The index of trashed files: out of every search and statistic, and back without a change."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from files import pipeline, services
from files.models import FileRecord
from orchestra.accounts.models import User
from search import services as search_services
from search.candidates import find
from search.indexing import approximate, rebuild, refilling
from search.indexing.mirroring import _owners
from search.indexing.shelving import shelf_of
from search.models import ChunkEmbedding, IndexedFile, KeywordPosting, MirrorGeneration
from search.owners import facts_of
from search.ranking.query_syntax import parse_query
from search.retrieval import Scope
from search.spaces import active
from search.vector_stores.faiss import FaissStore

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_redis")]
MakeFile = Callable[..., FileRecord]

WORDS = ("harbour", "bakery", "clinic", "orchard", "railway", "theatre")
QUESTIONS = (*WORDS, "harbour bakery clinic", "who keeps the register of the railway", "opens at four")


@pytest.fixture
def library(alice: User, make_file: MakeFile) -> list[FileRecord]:
    files = []
    for number, word in enumerate(WORDS):
        other = WORDS[(number + 1) % len(WORDS)]
        text = f"The {word} opens at four. The {word} is beside the {other}.\n\n" * (number + 1)
        files.append(make_file(alice, text.encode(), f"{word}.txt"))
    while pipeline.work("a worker"):
        pass
    return files


def answers(user: User) -> list[list[tuple[Any, ...]]]:
    """Return what every question finds, with scores and their parts."""
    facts_of.forget()
    return [
        [
            (hit.file_id, hit.ordinal, hit.score, hit.parts, tuple(twin.chunk_id for twin in hit.twins))
            for hit in search_services.search(user, question, limit=100, remember=False).hits
        ]
        for question in QUESTIONS
    ]


def test_a_restored_file_answers_as_before(alice: User, library: list[FileRecord]) -> None:
    before = answers(alice)
    for file in library:
        services.delete(file)
    assert answers(alice) == [[] for _ in QUESTIONS]
    for file in reversed(library):
        services.restore(file)
    assert answers(alice) == before


@pytest.mark.parametrize("seed", range(4))
def test_after_any_order_of_deletions_and_restores_the_index_is_that_of_the_files_there(
    alice: User, bob: User, library: list[FileRecord], make_file: MakeFile, seed: int
) -> None:
    """Statistics included: what is found, and with which scores, depends on the files that are there alone."""
    make_file(bob, b"The harbour, the bakery and the clinic open at four.", "bobs.txt")
    assert pipeline.work("a worker")
    chance = random.Random(seed)
    expected: dict[frozenset[Any], Any] = {}
    his, there = answers(bob), set(library)
    for _ in range(25):
        file = chance.choice(library)
        if file in there:
            services.delete(file)
            there.discard(file)
        else:
            services.restore(file)
            there.add(file)
        found = answers(alice)
        assert {hit[0] for hits in found for hit in hits} <= {one.pk for one in there}
        assert expected.setdefault(frozenset(one.pk for one in there), found) == found
        words = find(parse_query(WORDS[0]), Scope(alice.pk), 10).weights
        assert bool(words) == bool({library[0], library[-1]} & there), "frequencies are those of the files there"
    assert answers(bob) == his


def test_others_owners_rows_are_not_touched_and_none_is_left_behind(alice: User, library: list[FileRecord]) -> None:
    file = library[3]
    count = [
        model._default_manager.filter(owner=alice).count() for model in (ChunkEmbedding, KeywordPosting, IndexedFile)
    ]
    services.delete(file)
    shelf = shelf_of(alice.pk)
    for model, before in zip((ChunkEmbedding, KeywordPosting, IndexedFile), count, strict=True):
        shelved = model._default_manager.filter(owner_id=shelf).count()
        assert shelved > 0
        assert model._default_manager.filter(owner=alice).count() == before - shelved
    services.restore(file)
    for model in (ChunkEmbedding, KeywordPosting, IndexedFile):
        assert not model._default_manager.filter(owner_id=shelf).exists()


def test_a_mirror_that_counted_past_the_file_meets_it_as_a_new_one(alice: User, library: list[FileRecord]) -> None:
    number = IndexedFile.objects.get(file=library[0]).number
    newest = IndexedFile.objects.latest("number").number
    services.delete(library[0])
    MirrorGeneration.objects.create(store="faiss", space_id=1, owner_id=alice.pk, complete_to=newest)
    services.restore(library[0])
    restored = IndexedFile.objects.get(file=library[0])
    assert restored.number > newest
    assert number not in ChunkEmbedding.objects.values_list("document_id", flat=True)
    assert ChunkEmbedding.objects.filter(document=restored).count() == restored.chunk_count
    assert KeywordPosting.objects.filter(document=restored).exists()


def test_words_and_vectors_of_the_trash_are_kept_up_to_date(alice: User, library: list[FileRecord]) -> None:
    before = answers(alice)
    services.delete(library[0])
    assert list(rebuild.rebuild_keywords(IndexedFile.objects.all()))
    space = active()
    assert space is not None
    ChunkEmbedding.objects.filter(owner_id=shelf_of(alice.pk)).delete()
    list(refilling.fill(space))
    services.restore(library[0])
    assert [[hit[:2] for hit in hits] for hits in answers(alice)] == [[hit[:2] for hit in hits] for hits in before]


def test_the_trash_gets_no_index_and_no_mirror_of_its_own(
    alice: User, library: list[FileRecord], tmp_path: Path
) -> None:
    space, store = active(), FaissStore(folder=tmp_path, exact_rows=0)
    assert space is not None
    assert set(_owners(store)) == {alice.pk}
    for file in library:
        services.delete(file)
    assert list(approximate.build_missing(space, 0)) == []
    assert _owners(store) == {}


def test_no_statement_of_a_search_is_about_the_trash(alice: User, library: list[FileRecord]) -> None:
    services.delete(library[0])
    with CaptureQueriesContext(connection) as captured:
        assert search_services.search(alice, "bakery").hits
    assert len(captured) >= 2
    assert not any("trash" in query["sql"] for query in captured.captured_queries)
