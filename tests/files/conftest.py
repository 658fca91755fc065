"""A source in memory, and a connection to it."""

from __future__ import annotations

import pytest

from integrations import services
from integrations.base import Kind, Provider
from integrations.models import ExternalIntegration
from integrations.registry import PROVIDERS
from integrations.sources.base import EVERY_MINUTES
from orchestra.accounts.models import User
from tests.shelf import Shelf


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf()
    provider = Provider("shelf", "Shelf", Kind.SOURCE, (EVERY_MINUTES,), lambda _: made, personal=True)
    monkeypatch.setitem(PROVIDERS, "shelf", provider)
    return made


@pytest.fixture
def connection(shelf: Shelf, alice: User) -> ExternalIntegration:
    return services.connect(alice, "shelf", "A shelf", {})
