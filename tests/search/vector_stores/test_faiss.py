from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contracts.vector_store import VectorStoreContract


def faiss_store(folder: Path, **options: object) -> dict[str, Any]:
    """Return settings with which FAISS searches also the smallest owner."""
    backend = "search.vector_stores.faiss.FaissStore"
    return {"default": {"BACKEND": backend, "OPTIONS": {"folder": folder, "exact_rows": 0, **options}}}


class TestFlat(VectorStoreContract):
    @pytest.fixture
    def chosen(self, tmp_path: Path) -> dict[str, Any]:
        return faiss_store(tmp_path / "faiss")


class TestGraph(VectorStoreContract):
    @pytest.fixture
    def chosen(self, tmp_path: Path) -> dict[str, Any]:
        return faiss_store(tmp_path / "faiss", flat_rows=0)
