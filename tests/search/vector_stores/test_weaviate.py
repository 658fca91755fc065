from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from files import services
from search.errors import MirrorUnavailable
from search.health import check_store
from search.indexing import mirroring
from search.models import ChunkEmbedding, IndexedFile, MirroredDocument, MirrorGeneration
from search.passages import passage_of
from search.retrieval import Scope
from search.vector_stores.weaviate import WeaviateStore
from tests.contracts.vector_store import (
    Library,
    MakeFile,
    VectorStoreContract,
    assert_same,
    indexed,
    sync,
    text_about,
)
from tests.pace import within
from tests.weaviate_server import MOST_REMOVED, Stored, WeaviateServer, running_weaviate

KEY = "a key"


@pytest.fixture(scope="module")
def started() -> Iterator[WeaviateServer]:
    with running_weaviate(KEY) as server:
        yield server


@pytest.fixture
def server(started: WeaviateServer) -> WeaviateServer:
    """The server as new."""
    started.collections.clear()
    started.calls.clear()
    started.refused.clear()
    started.failing = False
    started.most_removed = MOST_REMOVED
    return started


def weaviate_store(server: WeaviateServer, **options: object) -> dict[str, Any]:
    """Return settings with which Weaviate searches also the smallest owner."""
    backend = "search.vector_stores.weaviate.WeaviateStore"
    address = {"url": server.url, "grpc_port": server.grpc_port, "api_key": KEY}
    return {"default": {"BACKEND": backend, "OPTIONS": {**address, "exact_rows": 0, "query_seconds": 30.0, **options}}}


class TestWeaviate(VectorStoreContract):
    @pytest.fixture
    def chosen(self, server: WeaviateServer) -> dict[str, Any]:
        return weaviate_store(server)


class TestServer:
    @pytest.fixture
    def chosen(self, server: WeaviateServer) -> dict[str, Any]:
        return weaviate_store(server)

    library = VectorStoreContract.library

    def test_a_search_is_answered_by_the_server(self, library: Library, server: WeaviateServer) -> None:
        query = library.asked("tea")
        assert library.store.nearest(query, library.scope, 5).method == "weaviate"
        assert "Search" in server.calls
        assert len(server.objects()) == ChunkEmbedding.objects.count()

    def test_vectors_are_ours_and_owners_are_tenants(self, library: Library, server: WeaviateServer) -> None:
        (collection,) = server.collections.values()
        assert collection.definition["multiTenancyConfig"]["enabled"]
        (vectors,) = collection.definition["vectorConfig"].values()
        assert list(vectors["vectorizer"]) == ["none"]
        assert vectors["vectorIndexConfig"]["distance"] == "cosine"
        (tenant,) = collection.tenants
        assert tenant.startswith(library.owner.pk.hex)

    @pytest.mark.parametrize("seconds", [0.3, 30.0])
    def test_a_server_that_fails_is_told_of_and_then_left_alone(
        self, library: Library, server: WeaviateServer, settings: Any, seconds: float
    ) -> None:
        settings.VECTOR_STORES = weaviate_store(server, query_seconds=seconds)
        query = library.asked("cats on a window")
        assert library.store.neighbours(query, library.scope, 1)
        if seconds < 1:
            server.failing = True  # the client tries again by itself, for a minute
        else:
            server.collections.clear()
        began = time.monotonic()
        with capture_logs() as logs:
            found = library.store.neighbours(query, library.scope, 10)
            asked = len(server.calls)
            assert library.store.nearest(query, library.scope, 10).method == "exact"
        assert time.monotonic() - began < within(10)
        assert [log["event"] for log in logs] == ["vector_store_not_used"] * 2
        assert "Weaviate at" in logs[0]["reason"]
        assert_same(found, library.exactly(query, library.scope, 10))
        if seconds > 1:
            assert len(server.calls) == asked

    def test_a_server_that_lost_its_data_gets_all_of_it_again(self, library: Library, server: WeaviateServer) -> None:
        server.collections.clear()
        sync()
        assert len(server.objects()) == ChunkEmbedding.objects.count()
        assert MirrorGeneration.objects.count() == 1

    def test_a_refused_object_is_an_error_and_its_file_stays_findable(
        self, library: Library, server: WeaviateServer, make_file: MakeFile
    ) -> None:
        new = indexed(make_file(library.owner, text_about("lighthouses").encode(), "new.txt"))
        server.refused = {(new.index.number << 24) + 1}
        with pytest.raises(MirrorUnavailable, match="refused 1 objects"):
            sync()
        query = library.asked("lighthouses")
        assert_same(library.store.neighbours(query, library.scope, 10), library.exactly(query, library.scope, 10))
        server.refused = set()
        sync()
        assert len(server.objects()) == ChunkEmbedding.objects.count()

    def test_a_scope_of_very_many_files_is_not_sent(
        self, library: Library, server: WeaviateServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scope = Scope(library.owner.pk, kinds=("text",))
        query = library.asked("tea")
        assert library.store.nearest(query, scope, 5).method == "weaviate"
        monkeypatch.setattr(WeaviateStore, "most_documents", 2)
        assert library.store.nearest(query, scope, 5).method == "exact"

    def test_what_postgresql_does_not_have_is_left_out_of_an_answer(
        self, library: Library, server: WeaviateServer
    ) -> None:
        """As after a restore of the database alone: the server went on with numbers that are to be given again."""
        query = library.asked("cats on a window")
        (tenant,) = next(iter(server.collections.values())).tenants.values()
        document = library.files["cats"].index
        for key, passage in (("one", passage_of(document.number, document.chunk_count)), ("two", passage_of(9999, 0))):
            tenant[key] = Stored({"passage": passage, "document": passage >> 24}, query.vector)
        found = library.store.neighbours(query, library.scope, 10)
        assert_same(found, library.exactly(query, library.scope, 10))
        assert server.calls[-1] == "Search"

    def test_a_server_removes_a_part_at_a_time(self, library: Library, server: WeaviateServer) -> None:
        server.most_removed = 2
        services.delete_completely(library.files["bees"])
        sync()
        assert server.calls.count("BatchDelete") > 1
        assert len(server.objects()) == ChunkEmbedding.objects.count()
        assert MirroredDocument.objects.count() == IndexedFile.objects.count()

    def test_only_what_changed_is_sent(self, library: Library, server: WeaviateServer, make_file: MakeFile) -> None:
        before = set(server.objects())
        indexed(make_file(library.owner, text_about("lighthouses").encode(), "new.txt"))
        for one in server.objects().values():
            one.vector = -one.vector  # would be replaced if they were sent again
        vectors = {passage: one.vector for passage, one in server.objects().items()}
        sync()
        assert all(server.objects()[passage].vector is vectors[passage] for passage in before)
        assert len(server.objects()) == ChunkEmbedding.objects.count()

    def test_a_rebuild_fills_a_new_tenant_and_removes_the_old(self, library: Library, server: WeaviateServer) -> None:
        (before,) = next(iter(server.collections.values())).tenants
        lines: list[str] = []
        mirroring.rebuild(lines.append)
        (after,) = next(iter(server.collections.values())).tenants
        assert before != after
        assert len(server.objects()) == ChunkEmbedding.objects.count()
        assert lines[-1].startswith("weaviate: ")

    def test_a_deleted_owner_s_tenant_is_removed_and_no_other(self, library: Library, server: WeaviateServer) -> None:
        (collection,) = server.collections.values()
        collection.tenants["somebody_else"] = {}
        library.owner.delete()
        sync()
        assert list(collection.tenants) == ["somebody_else"]
        assert not MirrorGeneration.objects.exists()
        assert not MirroredDocument.objects.exists()

    def test_health_tells_a_wrong_key_and_a_server_that_is_away(
        self, server: WeaviateServer, settings: Any, db: None
    ) -> None:
        wrong = weaviate_store(server)
        wrong["default"]["OPTIONS"]["api_key"] = "another"
        away = weaviate_store(server)
        away["default"]["OPTIONS"]["url"] = "http://127.0.0.1:9"
        for chosen in (wrong, away):
            settings.VECTOR_STORES = chosen
            outcome = check_store()
            assert not outcome.ok
            assert "WEAVIATE_URL" in outcome.remedy
        settings.VECTOR_STORES = weaviate_store(server)
        assert "1.33.0" in check_store().message
