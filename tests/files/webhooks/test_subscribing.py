"""Webhooks as rows: sealed secrets, addresses, limits, rotation."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from files.errors import TooManyWebhooks, WebhookInvalid
from files.models import Webhook
from files.webhooks import subscribing
from orchestra.accounts.models import User

URL = "https://example.org/hook"
NEW = "n" * 40


def test_the_secret_lies_sealed(alice: User) -> None:
    made = subscribing.create(alice, URL, ["ready", "ready"])
    row = Webhook.objects.get()
    assert made.secret.startswith("whsec_")
    assert made.secret.encode() not in bytes(row.secret)
    assert made.secret not in f"{made!r} {row!r} {vars(row)}"
    assert subscribing.secret_of(row) == made.secret
    assert row.events == ["ready"]
    assert row.created_at is not None


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org/", "file:///etc/passwd", "https://user:pass@example.org/", "https://a b/"],
)
def test_what_is_no_address_is_refused(alice: User, url: str) -> None:
    with pytest.raises(WebhookInvalid):
        subscribing.create(alice, url, ["ready"])
    made = subscribing.create(alice, URL, ["ready"]).webhook
    with pytest.raises(WebhookInvalid):
        subscribing.change(made, url=url)


def test_there_is_an_end_to_them(alice: User, bob: User) -> None:
    for _ in range(10):
        subscribing.create(alice, URL, ["ready"])
    with pytest.raises(TooManyWebhooks):
        subscribing.create(alice, URL, ["ready"])
    subscribing.create(bob, URL, ["ready"])


def test_secrets_are_sealed_anew_by_a_rotation(alice: User, settings: Any) -> None:
    made = subscribing.create(alice, URL, ["ready"])
    settings.CREDENTIALS_KEYS = (NEW, *settings.CREDENTIALS_KEYS)
    said = StringIO()
    call_command("rotate_credentials", stdout=said)
    assert said.getvalue().startswith("1 encrypted anew")
    settings.CREDENTIALS_KEYS = (NEW,)
    assert subscribing.secret_of(Webhook.objects.get()) == made.secret
