"""Connections: made, changed, tested, sealed anew; and whose model answers whom."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations import services
from integrations.errors import ConnectionInvalid, TooManyConnections
from integrations.llm.base import LanguageModel, Message, ModelUnavailable, Prompt, Role
from integrations.models import ExternalIntegration
from orchestra.accounts.models import User
from orchestra.common.errors import CredentialsUnreadable
from orchestra.common.sealing import unseal
from tests.openai_server import KEY, MODEL, OpenAIServer

BACKEND = "integrations.llm.compatible.CompatibleModel"


@pytest.fixture
def values(openai_server: OpenAIServer, settings: Any) -> dict[str, str]:
    settings.OUTBOUND_ALLOWED_PRIVATE = (f"127.0.0.1:{openai_server.port}",)
    return {"base_url": openai_server.base_url, "model": MODEL, "key": KEY}


def said(model: LanguageModel | None) -> str:
    assert model is not None
    return model.complete(Prompt((Message(Role.USER, "Hello?"),), "a test", seconds=5))[0]


def stored(connection: ExternalIntegration) -> dict[str, str]:
    connection.refresh_from_db()
    return dict(unseal(bytes(connection.credentials), connection.pk).values)


def test_secrets_lie_encrypted_beside_the_fields(alice: User, values: dict[str, str]) -> None:
    made = services.connect(alice, "compatible", "Mine", values)
    made.refresh_from_db()
    assert made.config == {"base_url": values["base_url"], "model": MODEL, "alias": "default"}
    assert KEY.encode() not in bytes(made.credentials)
    assert KEY not in f"{made!r} {made} {vars(made)}"
    assert stored(made) == {"key": KEY}


@pytest.mark.parametrize(
    ("provider", "wrong", "field"),
    [
        ("unheard-of", {}, "provider"),
        ("openai", {}, "key"),
        ("openai", {"key": "a\nb"}, "key"),
        ("openai", {"key": "ż"}, "key"),
        ("openai", {"key": "x" * 3000}, "key"),
        ("openai", {"key": "x", "base_url": "http://127.0.0.1/"}, "base_url"),
        ("openai", {"key": "x", "alias": "other"}, "alias"),
        ("openai", {"key": "x", "model": "a\x00b"}, "model"),
        ("portkey", {"key": "x", "custom_host": "http://127.0.0.1/"}, "custom_host"),
        ("compatible", {"model": "m"}, "base_url"),
        ("compatible", {"model": "m", "base_url": "file:///etc/passwd"}, "base_url"),
        ("compatible", {"model": "m", "base_url": "http://u:p@example.org/v1"}, "base_url"),
        ("compatible", {"model": "m", "base_url": "http://example.org/v1?key=1"}, "base_url"),
        ("compatible", {"base_url": "http://example.org/v1"}, "model"),
    ],
)
def test_what_does_not_fit_is_told_by_field(alice: User, provider: str, wrong: dict[str, str], field: str) -> None:
    with pytest.raises(ConnectionInvalid) as caught:
        services.connect(alice, provider, "Mine", wrong)
    assert set(caught.value.details) == {field}
    assert not ExternalIntegration.objects.exists()


def test_an_owner_has_no_end_of_connections(alice: User, values: dict[str, str]) -> None:
    ExternalIntegration.objects.bulk_create(
        ExternalIntegration(provider="openai", owner=alice, name=str(number)) for number in range(50)
    )
    with pytest.raises(TooManyConnections):
        services.connect(alice, "compatible", "One more", values)


def test_a_secret_that_is_not_sent_stays_and_an_empty_one_goes(alice: User, values: dict[str, str]) -> None:
    made = services.connect(alice, "compatible", "Mine", values)
    services.change(made, name="Renamed", values={"model": "large"})
    assert stored(made) == {"key": KEY}
    assert (made.name, made.config["model"]) == ("Renamed", "large")
    services.change(made, values={"key": ""})
    assert stored(made) == {}


def test_who_leads_a_connection_elsewhere_does_not_take_the_key_along(alice: User, values: dict[str, str]) -> None:
    made = services.connect(alice, "compatible", "Mine", values)
    services.change(made, values={"base_url": "https://elsewhere.example.org/v1"})
    assert stored(made) == {}


def test_a_required_secret_cannot_be_removed(alice: User) -> None:
    made = services.connect(alice, "openai", "Mine", {"key": KEY})
    with pytest.raises(ConnectionInvalid):
        services.change(made, values={"key": " "})
    assert stored(made) == {"key": KEY}


def test_a_test_is_remembered_in_words(alice: User, values: dict[str, str], openai_server: OpenAIServer) -> None:
    made = services.connect(alice, "compatible", "Mine", values)
    assert services.test(made).works
    made.refresh_from_db()
    assert (made.tested_at is not None, made.error_code) == (True, "")
    openai_server.key = "another"
    assert services.test(made).code == "model_key_refused"
    made.refresh_from_db()
    assert made.error_code == "model_key_refused"
    assert KEY not in made.error_message


def test_a_test_of_what_cannot_be_read_says_so(alice: User, values: dict[str, str], settings: Any) -> None:
    made = services.connect(alice, "compatible", "Mine", values)
    settings.CREDENTIALS_KEYS = ("x" * 32,)
    assert services.test(made).code == "credentials_unreadable"
    with pytest.raises(ModelUnavailable):
        services.language_model(alice)


def test_rotation_seals_anew_and_says_what_it_cannot_read(alice: User, values: dict[str, str], settings: Any) -> None:
    settings.CREDENTIALS_KEYS = ("a" * 32,)
    first = services.connect(alice, "compatible", "First", values)
    settings.CREDENTIALS_KEYS = ("b" * 32,)
    lost = services.connect(alice, "compatible", "Lost", values)
    settings.CREDENTIALS_KEYS = ("c" * 32, "a" * 32)
    current = services.connect(None, "compatible", "Current", values)
    out = StringIO()
    with pytest.raises(CommandError, match=str(lost.pk)):
        call_command("rotate_credentials", stdout=out)
    assert "1 encrypted anew, 1 had" in out.getvalue()
    settings.CREDENTIALS_KEYS = ("c" * 32,)
    assert stored(first) == stored(current) == {"key": KEY}
    with pytest.raises(CredentialsUnreadable):
        stored(lost)


def test_a_users_own_model_comes_first_then_the_installations_then_the_settings(
    alice: User, bob: User, values: dict[str, str], openai_server: OpenAIServer, settings: Any
) -> None:
    openai_server.models = (MODEL, "own", "shared", "set")
    openai_server.answer = lambda body: str(body["model"])
    options = {"base_url": openai_server.base_url, "model": "set", "key": KEY, "by_setting": True}
    assert services.language_model(alice) is None
    settings.LANGUAGE_MODELS = {"default": {"BACKEND": BACKEND, "OPTIONS": options}}
    assert said(services.language_model(alice)) == "set"
    shared = services.connect(None, "compatible", "Everybody's", {**values, "model": "shared"})
    assert said(services.language_model(alice)) == "shared"
    own = services.connect(alice, "compatible", "Alice's", {**values, "model": "own"})
    assert said(services.language_model(alice)) == "own"
    assert said(services.language_model(bob)) == "shared"
    services.change(own, enabled=False)
    services.change(shared, enabled=False)
    assert said(services.language_model(alice)) == "set"


def test_an_alias_has_its_own_model(alice: User, values: dict[str, str]) -> None:
    services.connect(alice, "compatible", "Free", {**values, "alias": "uncensored"})
    assert services.language_model(alice) is None
    assert said(services.language_model(alice, alias="uncensored")) == "Hello world."


def test_private_mode_gets_a_model_on_loopback_and_no_other(
    alice: User, bob: User, values: dict[str, str], settings: Any
) -> None:
    assert services.local_model(alice) is None
    away = {**values, "base_url": "https://api.example.org/v1", "alias": "local"}
    services.connect(alice, "compatible", "Not here", away)
    services.connect(None, "portkey", "A gateway", {"key": "x", "alias": "local"})
    assert services.local_model(alice) is None
    services.connect(alice, "compatible", "Here", {**values, "alias": "local"})
    assert said(services.local_model(alice)) == "Hello world."
    assert services.local_model(bob) is None
    assert services.local_model() is None
    options: dict[str, Any] = {"base_url": "https://api.example.org/v1", "model": MODEL}
    settings.LANGUAGE_MODELS = {"local": {"BACKEND": BACKEND, "OPTIONS": options}}
    assert services.local_model(bob) is None
    options = {"base_url": values["base_url"], "model": MODEL, "key": KEY, "by_setting": True}
    settings.LANGUAGE_MODELS = {"local": {"BACKEND": BACKEND, "OPTIONS": options}}
    assert said(services.local_model(bob)) == said(services.local_model()) == "Hello world."


def test_a_local_model_answers_where_nothing_may_leave(alice: User, values: dict[str, str]) -> None:
    from orchestra.common.outbound import guard

    services.connect(alice, "compatible", "Here", {**values, "alias": "local"})
    with guard.closed(allow_loopback=True):
        assert said(services.local_model(alice)) == "Hello world."
