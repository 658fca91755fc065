"""The S3 server as where new files go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.s3_server import S3Server


@pytest.fixture
def s3(s3_server: S3Server, settings: Any) -> S3Server:
    """The server, emptied, as where new files go; the local disk is the other storage."""
    s3_server.empty()
    settings.FILE_STORAGES = s3_server.storages()
    settings.FILE_STORAGE = "s3"
    return s3_server
