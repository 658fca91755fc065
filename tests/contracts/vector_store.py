"""What every vector store promises. A test class inherits this and gives the fixture `chosen`, a store's settings.

The store is the installation's: files go through indexing and questions through `search.services`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import override_settings
from django.utils import timezone
from numpy.typing import NDArray

from files import pipeline, services
from files.models import FileRecord, FileStatus
from orchestra.accounts.models import User
from search import owners, spaces
from search.indexing import mirroring
from search.models import ChunkEmbedding
from search.passages import passage_of
from search.retrieval import EmbeddedQuery, Scope
from search.services import search
from search.vector_stores import vector_stores
from search.vector_stores.base import Neighbour, VectorStore

MakeFile = Callable[..., FileRecord]

SUBJECTS = ("cats", "diesel engines", "green tea", "bees")
QUESTIONS = ("cats on a window", "how does an engine ignite", "tea at eighty degrees", "bees and honey")
PGVECTOR = {"default": {"BACKEND": "search.vector_stores.pgvector.PgVectorStore"}}


def text_about(subject: str, paragraphs: int = 8) -> str:
    """Return a text of as many passages."""
    return "\n\n".join(
        f"Paragraph {number} is about {subject}. " + f"{subject} {number} " * 60 for number in range(paragraphs)
    )


def indexed(file: FileRecord) -> FileRecord:
    """Read and index what waits, and return the file as it is then."""
    while pipeline.work("test"):
        pass
    owners.facts_of.forget()
    file.refresh_from_db()
    assert file.status == FileStatus.READY, file.error_message
    return file


@dataclass(frozen=True)
class Library:
    """Files of alice's, by subject, and the store that searches them."""

    owner: User
    files: dict[str, FileRecord]

    @property
    def store(self) -> VectorStore:
        """The chosen store."""
        return vector_stores["default"]

    @property
    def scope(self) -> Scope:
        """All that alice has."""
        return Scope(self.owner.pk)

    def asked(self, text: str) -> EmbeddedQuery:
        """Return a question as a vector."""
        space = spaces.for_writing()
        return EmbeddedQuery(spaces.embedder_of(space).embed_query(text), space)

    def exactly(self, query: EmbeddedQuery, scope: Scope, limit: int) -> list[Neighbour]:
        """Return the nearest passages of some files, computed here."""
        rows = ChunkEmbedding.objects.filter(owner_id=scope.owner_id, space_id=query.space.id)
        if scope.file_ids:
            rows = rows.filter(document__file_id__in=scope.file_ids)
        vector = query.vector.astype(np.float16).astype(np.float32)
        near = [
            Neighbour(passage_of(row.document_id, row.ordinal), _cosine(np.asarray(row.embedding), vector))
            for row in rows
        ]
        return sorted(near, key=lambda one: (-one.cosine, one.passage))[:limit]


def _cosine(stored: NDArray[Any], vector: NDArray[np.float32]) -> float:
    return float(stored.astype(np.float32) @ vector)


def sync() -> None:
    """Bring the chosen store up to date, as the task on beat does."""
    owners.facts_of.forget()
    for store in mirroring.mirror_stores():
        assert mirroring.sync(store).finished


def assert_same(found: list[Neighbour], expected: list[Neighbour]) -> None:
    """Compare passages in their order, and cosines; equal cosines may stand in any order."""
    assert [one.cosine for one in found] == pytest.approx([one.cosine for one in expected], abs=1e-3)
    cosines = {one.passage: one.cosine for one in expected}
    last = expected[-1].cosine if expected else 0.0
    for one in found:
        assert one.passage in cosines or one.cosine == pytest.approx(last, abs=1e-3)
        assert one.cosine == pytest.approx(cosines.get(one.passage, last), abs=1e-3)
    assert len({one.passage for one in found}) == len(found), "no passage twice"


class VectorStoreContract:
    """Inherit, and define the fixture `chosen`: the value of VECTOR_STORES."""

    @pytest.fixture
    def library(self, chosen: dict[str, Any], alice: User, make_file: MakeFile, settings: Any) -> Library:
        settings.VECTOR_STORES = chosen
        made = {subject: make_file(alice, text_about(subject).encode(), f"{subject}.txt") for subject in SUBJECTS}
        files = {subject: indexed(file) for subject, file in made.items()}
        sync()
        return Library(alice, files)

    @pytest.mark.parametrize("question", QUESTIONS)
    def test_the_nearest_are_right(self, library: Library, question: str) -> None:
        query = library.asked(question)
        assert_same(library.store.neighbours(query, library.scope, 10), library.exactly(query, library.scope, 10))

    @pytest.mark.parametrize("limit", [1, 5, 1000])
    def test_there_are_as_many_as_asked_for_or_as_there_are(self, library: Library, limit: int) -> None:
        query = library.asked("cats and bees")
        every = ChunkEmbedding.objects.filter(owner_id=library.owner.pk).count()
        found = library.store.neighbours(query, library.scope, limit)
        assert len(found) == min(limit, every)
        assert_same(found, library.exactly(query, library.scope, limit))

    def test_each_filter_narrows(self, library: Library) -> None:
        bees, tea = library.files["bees"], library.files["green tea"]
        services.update(bees, tags=["garden"])
        FileRecord.objects.filter(pk=tea.pk).update(kind="pdf", created_at=timezone.now() - timedelta(days=30))
        month_ago = timezone.now() - timedelta(days=20)
        scopes = {
            replace(library.scope, file_ids=(bees.pk,)): {bees.pk},
            replace(library.scope, file_ids=(bees.pk, tea.pk)): {bees.pk, tea.pk},
            replace(library.scope, tags=("garden",)): {bees.pk},
            replace(library.scope, kinds=("pdf",)): {tea.pk},
            replace(library.scope, added_before=month_ago): {tea.pk},
            replace(library.scope, added_from=month_ago): {f.pk for f in library.files.values()} - {tea.pk},
            replace(library.scope, tags=("nowhere",)): set(),
        }
        query = library.asked("cats on a window")
        for scope, files in scopes.items():
            found = library.store.neighbours(query, scope, 200)
            expected = library.exactly(query, Scope(library.owner.pk, file_ids=tuple(files)), 200) if files else []
            assert_same(found, expected)

    def test_other_owners_never_appear(self, library: Library, bob: User, make_file: MakeFile) -> None:
        query = library.asked("cats on a window")
        assert library.store.neighbours(query, Scope(bob.pk), 10) == []
        foreign = Scope(bob.pk, file_ids=(library.files["cats"].pk,))
        assert library.store.neighbours(query, foreign, 10) == []
        indexed(make_file(bob, text_about("cats").encode(), "mine.txt"))
        sync()
        assert_same(library.store.neighbours(query, Scope(bob.pk), 100), library.exactly(query, Scope(bob.pk), 100))
        assert_same(library.store.neighbours(query, library.scope, 10), library.exactly(query, library.scope, 10))

    def test_an_owner_without_files_has_no_neighbours(self, library: Library, bob: User) -> None:
        assert library.store.neighbours(library.asked("tea"), Scope(bob.pk), 10) == []

    def test_a_deleted_file_is_never_found(self, library: Library) -> None:
        query = library.asked("cats on a window")
        services.delete(library.files["cats"])
        expected = library.exactly(query, library.scope, 10)
        assert_same(library.store.neighbours(query, library.scope, 10), expected)
        sync()
        assert_same(library.store.neighbours(query, library.scope, 10), expected)

    def test_a_file_that_is_indexed_again_is_found_once(self, library: Library) -> None:
        query = library.asked("bees and honey")
        services.retry(library.files["bees"])
        indexed(library.files["bees"])
        expected = library.exactly(query, library.scope, 20)
        assert_same(library.store.neighbours(query, library.scope, 20), expected)
        sync()
        assert_same(library.store.neighbours(query, library.scope, 20), expected)

    def test_a_file_added_after_the_last_sync_is_found(self, library: Library, make_file: MakeFile) -> None:
        query = library.asked("a lighthouse by the sea")
        new = indexed(make_file(library.owner, text_about("lighthouse by the sea").encode(), "new.txt"))
        for _ in range(2):
            found = library.store.neighbours(query, library.scope, 5)
            assert_same(found, library.exactly(query, library.scope, 5))
            assert {one.passage >> 24 for one in found} == {new.index.number}
            sync()

    def test_hits_are_those_of_pgvector(self, library: Library) -> None:
        for question in QUESTIONS:
            hits = search(library.owner, question, limit=10).hits
            with override_settings(VECTOR_STORES=PGVECTOR):
                expected = search(library.owner, question, limit=10).hits
            assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected], abs=2e-3)
            assert {hit.file_name for hit in hits} == {hit.file_name for hit in expected}
            assert hits

    def test_it_is_healthy(self, library: Library) -> None:
        assert library.store.check().ok, library.store.check().message
