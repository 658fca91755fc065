"""A receiver of messages on loopback, and a webhook of alice's that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from files.models import Webhook
from files.webhooks import delivering, outbox, subscribing
from files.webhooks.subscribing import CreatedWebhook
from orchestra.accounts.models import User
from tests.orchestra.common.outbound.answering import Server, answering, send

EVENTS = ("ready", "partial", "failed", "deleted")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Server]:
    """A server that takes everything."""
    with answering(lambda handler: send(handler, b"thank you")) as running:
        settings.OUTBOUND_ALLOWED_PRIVATE = (f"127.0.0.1:{running.port}",)
        yield running


@pytest.fixture
def created(alice: User, receiver: Server) -> CreatedWebhook:
    return subscribing.create(alice, receiver.url(path="/hook"), EVENTS)


@pytest.fixture
def webhook(created: CreatedWebhook) -> Webhook:
    return created.webhook


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Collect the hints that would go to Redis."""
    sent: list[UUID] = []
    for module in (outbox, delivering):
        monkeypatch.setattr(module, "publish_webhook_hints", sent.extend)
    return sent
