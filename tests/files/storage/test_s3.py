"""Bytes in a bucket keep the same promises, at a real server; and what only a server can do to us."""

from __future__ import annotations

from typing import Any

import pytest

from files.storage import FileStorage, chosen
from tests.contracts.storage import FileStorageContract
from tests.s3_server import S3Server


@pytest.fixture
def s3(s3_server: S3Server, settings: Any) -> S3Server:
    """The server, emptied, as where new files go."""
    s3_server.empty()
    settings.FILE_STORAGES = {
        "local": {"BACKEND": "files.storage.local.LocalStorage"},
        "s3": {"BACKEND": "files.storage.s3.S3Storage", "OPTIONS": s3_server.options()},
    }
    settings.FILE_STORAGE = "s3"
    return s3_server


class TestS3Storage(FileStorageContract):
    @pytest.fixture
    def store(self, s3: S3Server) -> FileStorage:
        return chosen()


class TestS3StorageBelowAPrefix(FileStorageContract):
    @pytest.fixture
    def store(self, s3: S3Server, settings: Any) -> FileStorage:
        entry = settings.FILE_STORAGES["s3"]
        entry["OPTIONS"] = s3.options(prefix="shared/orchestra")
        settings.FILE_STORAGES = {"s3": entry}
        return chosen()
