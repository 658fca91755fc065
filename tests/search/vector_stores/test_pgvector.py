from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.vector_store import PGVECTOR, VectorStoreContract


class TestPgVector(VectorStoreContract):
    @pytest.fixture
    def chosen(self) -> dict[str, Any]:
        return PGVECTOR
