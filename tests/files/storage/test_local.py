"""Bytes on this machine's disk keep the promises of every storage."""

from __future__ import annotations

import pytest

from files.storage import FileStorage, chosen
from tests.contracts.storage import FileStorageContract


class TestLocalStorage(FileStorageContract):
    @pytest.fixture
    def store(self) -> FileStorage:
        return chosen()
