from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.vector_store import VectorStoreContract
from tests.weaviate_server import WeaviateServer, running_weaviate

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
