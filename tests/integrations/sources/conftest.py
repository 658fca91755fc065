"""What tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.sources import notion_client
from integrations.sources.notion import NotionSource
from tests.notion_server import TOKEN, NotionServer, running_notion_server


@pytest.fixture
def notion(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[NotionServer]:
    """A workspace on loopback, in place of the real one, without pauses between requests."""
    with running_notion_server() as server:
        settings.OUTBOUND_ALLOWED_PRIVATE = (f"127.0.0.1:{server.port}",)
        monkeypatch.setattr(notion_client, "BASE_URL", server.base_url)
        monkeypatch.setattr(notion_client, "PAUSE", 0.0)
        yield server


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Wait for nothing; return how long it would have been."""
    pauses: list[float] = []
    monkeypatch.setattr(notion_client, "sleep", pauses.append)
    return pauses


@pytest.fixture
def source(notion: NotionServer) -> NotionSource:
    return NotionSource(TOKEN)
