"""Nearest neighbours in PostgreSQL: exact, approximate for large owners, and nobody's files move another's results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from files.models import FileRecord, FileStatus
from orchestra.accounts.models import User
from search import owners, spaces
from search.health import check_vectors
from search.indexing import approximate, writing
from search.indexing.chunking import Chunk
from search.indexing.spool import ChunkSpool
from search.models import IndexedFile
from search.passages import passage_of
from search.recall import recall_of_largest
from search.retrieval import EmbeddedQuery, Scope
from search.vector_stores.base import statement
from search.vector_stores.pgvector import PgVectorStore
from tests.contracts.vector_store import PGVECTOR, VectorStoreContract

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALL = 200
LARGE = 3_000


def random_vectors(count: int, seed: int) -> NDArray[np.float32]:
    """Return unit vectors that lie in clusters, and vary in few directions, as those of texts do."""
    import numpy as np

    chance = np.random.default_rng(seed)
    directions = chance.standard_normal((384, 384)) / np.arange(1, 385)
    vectors = chance.standard_normal((count, 384)) @ directions
    vectors += chance.standard_normal((20, 384))[chance.integers(0, 20, count)]
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def add_file(owner: User, vectors: NDArray[np.float32], **more: Any) -> IndexedFile:
    from files.extraction.document import Place

    file = FileRecord.objects.create(owner=owner, name="v.txt", size=0, status=FileStatus.READY, kind="text", **more)
    with ChunkSpool() as spool:
        spool.add([Chunk(n, f"w{n}", Place(), 1) for n in range(len(vectors))], vectors)
        writing.replace(file, 1, spool, spaces.for_writing())
    return IndexedFile.objects.get(file=file)


def query(vector: NDArray[np.float32]) -> EmbeddedQuery:
    space = spaces.active()
    assert space is not None
    return EmbeddedQuery(vector, space)


def passages(store: PgVectorStore, vector: NDArray[np.float32], scope: Scope, limit: int = 10) -> list[int]:
    return [one.passage for one in store.neighbours(query(vector), scope, limit)]


@pytest.fixture
def store() -> PgVectorStore:
    return PgVectorStore(exact_rows=1_000)


def test_small_scopes_are_exact(alice: User, bob: User, store: PgVectorStore) -> None:
    import numpy as np

    mine, others = random_vectors(SMALL, 1), random_vectors(SMALL, 2)
    document = add_file(alice, mine)
    add_file(bob, others)
    for question in random_vectors(10, 3):
        order = np.argsort(-(mine.astype(np.float16).astype(np.float32) @ question))[:10]
        expected = [passage_of(document.number, int(row)) for row in order]
        found = passages(store, question, Scope(alice.pk))
        assert len(set(found) & set(expected)) >= 9, "half precision may swap the last two"
        assert found[0] == expected[0]


def test_an_owner_of_many_has_an_index_of_their_own(
    alice: User, bob: User, store: PgVectorStore, settings: Any
) -> None:
    document, _ = add_file(alice, random_vectors(LARGE, 1)), add_file(bob, random_vectors(SMALL, 2))
    space = spaces.active()
    assert space is not None
    exact = {n: passages(store, question, Scope(alice.pk)) for n, question in enumerate(random_vectors(20, 3))}
    assert list(approximate.build_missing(space, 1_000)) == [alice.pk]
    assert list(approximate.build_missing(space, 1_000)) == []
    owners.facts_of.forget()
    near = store.nearest(query(random_vectors(1, 3)[0]), Scope(alice.pk), 10)
    assert near.method == "hnsw"
    assert approximate_plan(near) == owners.approximate_index(alice.pk, space)
    assert store.nearest(query(random_vectors(1, 3)[0]), Scope(bob.pk), 10).method == "exact"
    found = {n: passages(store, question, Scope(alice.pk)) for n, question in enumerate(random_vectors(20, 3))}
    shares = [len(set(found[n]) & set(exact[n])) / 10 for n in exact]
    assert sum(shares) / len(shares) >= 0.98
    assert all(passage >> 24 == document.number for ranking in found.values() for passage in ranking)
    settings.SEARCH_EXACT_ROWS = 1_000
    recall = recall_of_largest(space)
    assert recall is not None
    assert (recall.owner_id, recall.passages) == (alice.pk, LARGE)
    assert recall.share >= 0.98
    assert "of the ten nearest" in check_vectors().message


def approximate_plan(near: Any) -> str:
    """Return the name of the approximate index that PostgreSQL uses."""
    with connection.cursor() as cursor:
        cursor.execute(statement(near, f"EXPLAIN (FORMAT TEXT) {near.sql}"), near.parameters)
        while cursor.description is None:
            cursor.nextset()
        plan = "\n".join(row[0] for row in cursor.fetchall())
    return next((word for word in plan.split() if word.startswith("search_hnsw_")), plan)


def test_narrow_scopes_of_a_large_owner_are_exact(alice: User, store: PgVectorStore) -> None:
    add_file(alice, random_vectors(LARGE, 1))
    small = add_file(alice, random_vectors(SMALL, 4), tags=["few"])
    space = spaces.active()
    assert space is not None
    list(approximate.build_missing(space, 1_000))
    owners.facts_of.forget()
    scope = Scope(alice.pk, tags=("few",))
    question = random_vectors(1, 5)[0]
    assert store.nearest(query(question), scope, 10).method == "exact"
    found = passages(store, question, scope)
    assert len(found) == 10
    assert {passage >> 24 for passage in found} == {small.number}


def test_anothers_files_change_nothing(alice: User, bob: User, store: PgVectorStore) -> None:
    add_file(alice, random_vectors(LARGE, 1))
    space = spaces.active()
    assert space is not None
    list(approximate.build_missing(space, 1_000))
    owners.facts_of.forget()
    questions = random_vectors(20, 3)
    before = [store.neighbours(query(question), Scope(alice.pk), 50) for question in questions]
    add_file(bob, random_vectors(LARGE, 1))
    owners.facts_of.forget()
    assert [store.neighbours(query(question), Scope(alice.pk), 50) for question in questions] == before


def test_an_owner_who_became_small_loses_the_index(alice: User) -> None:
    document = add_file(alice, random_vectors(LARGE, 1))
    space = spaces.active()
    assert space is not None
    list(approximate.build_missing(space, 1_000))
    IndexedFile.objects.filter(pk=document.pk).update(chunk_count=600)
    approximate.drop_needless(space, 1_000)
    owners.facts_of.forget()
    assert owners.facts_of(alice.pk, space).approximate, "it comes and goes at different sizes"
    IndexedFile.objects.filter(pk=document.pk).update(chunk_count=400)
    approximate.drop_needless(space, 1_000)
    owners.facts_of.forget()
    assert not owners.facts_of(alice.pk, space).approximate


def test_vectors_lie_in_narrow_rows_of_their_owners_partition(alice: User) -> None:
    add_file(alice, random_vectors(2, 1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM search_chunkembedding")
        ((partition,),) = cursor.fetchall()
        cursor.execute("SELECT reltoastrelid FROM pg_class WHERE oid = %s::regclass", [partition])
        (toast,) = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass", [partition.rpartition("_")[0]]
        )
        assert cursor.fetchone() == (32,)
    assert toast == 0, "a vector is never stored outside of its row"


class TestContract(VectorStoreContract):
    @pytest.fixture
    def chosen(self) -> dict[str, Any]:
        return PGVECTOR
