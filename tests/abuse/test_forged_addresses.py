"""Every address that a user gives, at every place that takes one, with the vectors of the outbound client's own test.

The places are read from the registry of providers: a new one is covered by the name of its field.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import Any

import pytest
from botocore.loaders import create_loader

from files.errors import WebhookInvalid
from files.models import Webhook
from files.webhooks import delivering, subscribing
from integrations import services
from integrations.base import Field, Provider
from integrations.errors import ConnectionInvalid
from integrations.registry import PROVIDERS
from integrations.services import connect
from orchestra.accounts.models import User
from tests.orchestra.common.outbound.answering import answering, send
from tests.orchestra.common.outbound.test_forgery import VECTORS, names

ADDRESS_WORDS = ("url", "endpoint", "host", "address", "server")
ADDRESSES = [(provider.name, field.name) for provider in PROVIDERS.values() for field in provider.fields if field.leads]
GUESSES = ("", "abc-1", "https://example.org", "15", "us-east-1")
Give = Callable[[str], object]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect what is connected to over the internet's families, and make no connection; nothing is tried again."""
    made: list[Any] = []
    real = socket.socket.connect

    def connect_to(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX:  # Redis
            return real(self, address)
        made.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("botocore.session.create_loader", cache(create_loader))  # it reads its models once
    monkeypatch.setattr("socket.socket.connect", connect_to)
    monkeypatch.setattr("integrations.llm.retrying.TRIES", 1)
    monkeypatch.setattr("integrations.sources.s3._TRIES", 1)
    return made


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names lead where the vectors say."""
    table = {url.partition("://")[2].strip("/").partition(":")[0]: found for url, found in VECTORS if found}
    names({**table, "none.example.org": []}, monkeypatch)


def taken(field: Field, value: str) -> bool:
    try:
        return field.check is None or field.check(value) is None
    except ValueError:
        return False


def filled(provider: Provider) -> dict[str, str]:
    """Return a value that each field takes."""
    found = {}
    for field in provider.fields:
        choices = chain((field.default,), field.choices, GUESSES)
        found[field.name] = next(each for each in choices if (each or not field.required) and taken(field, each))
    return found


def at_provider(alice: User, name: str, field: str) -> Give:
    values = filled(PROVIDERS[name])

    def give(url: str) -> object:
        try:
            connection = connect(alice, name, "forged", {**values, field: url})
        except ConnectionInvalid as exc:
            return exc
        verdict = services.test(connection)
        assert not verdict.works
        connection.delete()
        return verdict.code

    return give


def at_webhook(alice: User) -> Give:
    def give(url: str) -> object:
        try:
            webhook = subscribing.create(alice, url, ["ready"]).webhook
        except WebhookInvalid as exc:
            return exc
        delivery = delivering.ping(webhook)
        assert delivery.state == "failed"
        Webhook.objects.all().delete()
        return delivery.error_code

    return give


def test_every_field_that_takes_an_address_is_said_to_lead_somewhere() -> None:
    fields = [(provider.name, field) for provider in PROVIDERS.values() for field in provider.fields]
    named = [(name, field.name) for name, field in fields if any(word in field.name for word in ADDRESS_WORDS)]
    open_to_any = [(name, field.name) for name, field in fields if field.check and taken(field, "https://a.example/v1")]
    assert set(named) | set(open_to_any) == set(ADDRESSES)
    assert {name for name, _ in ADDRESSES} >= {"compatible", "s3"}


@pytest.mark.usefixtures("resolving")
@pytest.mark.parametrize("place", [*ADDRESSES, ("webhook", "url")], ids="-".join)
def test_no_address_leads_inside(alice: User, place: tuple[str, str], connections: list[Any]) -> None:
    give = at_webhook(alice) if place == ("webhook", "url") else at_provider(alice, *place)
    answers = {url: give(url) for url, _ in VECTORS if url}
    assert connections == []
    refused_when_sent = [url for url, answer in answers.items() if isinstance(answer, str)]
    assert len(answers) >= 60
    assert len(refused_when_sent) >= 40, "most look like addresses of the web, and only asking them tells"


@pytest.mark.usefixtures("resolving")
@pytest.mark.parametrize("place", [*ADDRESSES, ("webhook", "url")], ids="-".join)
def test_what_is_public_is_asked(alice: User, place: tuple[str, str], connections: list[Any]) -> None:
    """The test above would pass as well if nothing were ever asked."""
    give = at_webhook(alice) if place == ("webhook", "url") else at_provider(alice, *place)
    give("http://93.184.216.34:8080/v1")
    assert set(connections) == {("93.184.216.34", 8080)}


@pytest.fixture
def sentinel() -> Iterator[Any]:
    with answering(lambda handler: send(handler, b"secret")) as running:
        yield running


@pytest.mark.parametrize("place", [*ADDRESSES, ("webhook", "url")], ids="-".join)
def test_a_server_inside_is_not_reached_by_a_redirect(
    alice: User, place: tuple[str, str], sentinel: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.llm.retrying.TRIES", 1)
    monkeypatch.setattr("integrations.sources.s3._TRIES", 1)
    for status in (301, 302, 303, 307, 308):
        location = sentinel.url()
        with answering(lambda handler: send(handler, b"", status, Location=location)) as outside:  # noqa: B023
            settings.OUTBOUND_ALLOWED_PRIVATE = (f"127.0.0.1:{outside.port}",)
            give = at_webhook(alice) if place == ("webhook", "url") else at_provider(alice, *place)
            give(outside.url(path="/v1"))
            assert outside.asked
    assert sentinel.asked == []
