"""A POST that is sent again under its key makes nothing again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from rest_framework.test import APIClient

from files.models import FileRecord, Webhook
from integrations.models import ExternalIntegration
from orchestra.accounts import idempotency
from orchestra.accounts.models import ApiKey, IdempotentAnswer, User
from orchestra.accounts.tasks import forget_idempotent_answers
from personas import services
from personas.models import Persona
from tests.conftest import client_of
from tests.routes import routes

KEY = {"Idempotency-Key": "0d8f1f7e-3a52-4b0e-9c1e-1f6f1c0c4b11"}
BODY = {"name": "a persona", "tags": ["x", "y"]}


def pass_by(hours: int) -> None:
    IdempotentAnswer.objects.update(created_at=F("created_at") - timedelta(hours=hours))


def made(kind: type[Any]) -> int:
    """Return how many there are of somebody's: the installation has personas of its own."""
    count: int = kind.objects.exclude(owner=None).count()
    return count


MAKING: dict[str, tuple[Any, type[Any]]] = {
    "/api/personas": (BODY, Persona),
    "/api/personas/import": ({"format": "orchestra.persona", "version": 1, "persona": {"name": "p"}}, Persona),
    "/api/integrations": ({"provider": "openai", "name": "m", "values": {"key": "sk-1"}}, ExternalIntegration),
    "/api/files/upload/initiate": ({"name": "b.txt", "size": 10}, FileRecord),
}


@pytest.mark.parametrize("address", MAKING)
def test_the_same_request_gets_the_same_answer_and_makes_one_thing(address: str, as_alice: APIClient) -> None:
    body, kind = MAKING[address]
    first, again = (as_alice.post(address, body, headers=KEY) for _ in range(2))

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert made(kind) == 1


def test_a_small_file_is_known_by_its_content_whatever_the_boundary(as_alice: APIClient) -> None:
    def send(content: bytes) -> Any:
        sent = BytesIO(content)
        sent.name = "notes.txt"
        return as_alice.post("/api/files/upload", {"file": sent}, format="multipart", headers=KEY)

    first, again, other = send(b"Some text."), send(b"Some text."), send(b"Another text.")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert FileRecord.objects.count() == 1


def test_another_request_with_the_key_is_refused(as_alice: APIClient) -> None:
    assert as_alice.post("/api/personas", BODY, headers=KEY).status_code == 201
    other = as_alice.post("/api/personas", {"name": "another"}, headers=KEY)
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert as_alice.post("/api/personas", dict(reversed(BODY.items())), headers=KEY).status_code == 201, "the same body"


def test_a_key_is_its_users_and_its_addresss(as_alice: APIClient, as_bob: APIClient) -> None:
    mine = as_alice.post("/api/personas", BODY, headers=KEY).json()["id"]
    assert as_bob.post("/api/personas", BODY, headers=KEY).json()["id"] != mine
    assert as_alice.post(f"/api/personas/{mine}/clone", headers=KEY).json()["id"] != mine
    assert made(Persona) == 3


def test_a_refused_request_is_not_kept(as_alice: APIClient) -> None:
    assert as_alice.post("/api/personas", {"name": ""}, headers=KEY).status_code == 400
    assert as_alice.post("/api/personas", BODY, headers=KEY).status_code == 201


@pytest.mark.parametrize("odd", ["", " ", "x" * 256, "schlüssel", "a b"])
def test_a_key_that_is_none_is_refused(odd: str, as_alice: APIClient) -> None:
    refused = as_alice.post("/api/personas", BODY, headers={"Idempotency-Key": odd})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "idempotency_key_invalid"


@pytest.mark.parametrize(
    ("address", "body", "kind", "field"),
    [
        ("/api/auth/keys", {"name": "a program"}, ApiKey, "key"),
        ("/api/webhooks", {"url": "https://example.org/"}, Webhook, "secret"),
    ],
)
def test_a_secret_is_neither_kept_nor_given_again(
    address: str, body: Any, kind: type[Any], field: str, as_alice: APIClient
) -> None:
    first = as_alice.post(address, body, headers=KEY)
    again = as_alice.post(address, body, headers=KEY)

    assert first.status_code == 201
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "idempotency_secret_gone"
    assert again.json()["error"]["details"] == {"id": first.json()["id"]}
    assert kind.objects.count() == 1
    kept = str(list(IdempotentAnswer.objects.values()))
    assert first.json()[field] not in kept
    assert KEY["Idempotency-Key"] not in kept


def test_keys_are_forgotten_after_a_day(as_alice: APIClient) -> None:
    first = as_alice.post("/api/personas", BODY, headers=KEY).json()
    pass_by(23)
    assert forget_idempotent_answers() == 0
    pass_by(2)
    assert as_alice.post("/api/personas", BODY, headers=KEY).json()["id"] != first["id"], "before the sweep too"
    pass_by(25)
    assert forget_idempotent_answers() == 1


@pytest.fixture
def slow_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A service that says when it is entered, and waits until it may go on."""
    entered, may_go_on = threading.Event(), threading.Event()
    make = services.create

    def slow(*arguments: Any) -> Persona:
        entered.set()
        assert may_go_on.wait(60)
        return make(*arguments)

    monkeypatch.setattr(services, "create", slow)
    yield entered, may_go_on
    may_go_on.set()


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def closing() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=closing)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_two_equal_requests_at_once_make_one_thing(alice: User, slow_service: Any) -> None:
    entered, may_go_on = slow_service
    answers: list[Any] = []
    first = in_thread(lambda: answers.append(client_of(alice).post("/api/personas", BODY, headers=KEY)))
    assert entered.wait(60)

    second = client_of(alice).post("/api/personas", BODY, headers=KEY)
    may_go_on.set()
    first.join(60)
    third = client_of(alice).post("/api/personas", BODY, headers=KEY)

    assert second.status_code == 409
    assert second.json()["error"]["code"] == "idempotency_key_in_progress"
    assert second["Retry-After"] == "1"
    assert (answers[0].status_code, third.status_code) == (201, 201)
    assert third.json() == answers[0].json()
    assert made(Persona) == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_that_died_stands_in_nobodys_way(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made goes with the transaction, and so does the lock, when the connection to the database ends."""

    def die(*arguments: Any, **named: Any) -> None:
        connection.connection.close()  # as a killed process does, between the persona and the answer about it
        raise SystemExit

    def request() -> None:
        with pytest.raises(SystemExit):
            client_of(alice).post("/api/personas", BODY, headers=KEY)

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "keep", die)
        in_thread(request).join(60)
    assert made(Persona) == 0
    assert client_of(alice).post("/api/personas", BODY, headers=KEY).status_code == 201


# POSTs that make nothing that a second one would make again, each with its reason.
WITHOUT_KEY = {
    "api-token": "tokens end by themselves",
    "api-token-refresh": "a refresh token is used once",
    "api-token-revoke": "ends a token; twice is once",
    "api-ticket": "a ticket ends by itself within 30 seconds",
    "api-upload-chunk": "sending a chunk again is harmless by its range",
    "api-file-retry": "a second one is refused by the file's status",
    "api-file-cancel": "a second one is refused by the file's status",
    "api-trash-restore": "a second one finds nothing in the trash",
    "api-search": "reads; a conversation's turn is kept as often as it is asked",
    "api-search-absence": "reads",
    "api-search-compare": "reads",
    "api-files-search": "reads",
    "api-integration-test": "makes nothing",
    "api-integration-import": "returns the import that waits or goes on",
    "api-webhook-test": "sends a ping as often as it is asked",
    "api-persona-make-default": "a choice; twice is once",
    "api-persona-preview": "reads",
    "api-persona-preview-unsaved": "reads",
    "mcp": "reads",
    "tus-uploads": "tus has no such header; an upload that nobody fills expires",
}


def test_every_call_that_makes_something_takes_a_key() -> None:
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]  # type: ignore[no-untyped-call]
    for route in routes():
        if not route.is_api or "post" not in route.methods or route.name in WITHOUT_KEY:
            continue
        path = route.path({name: f"{{{name}}}" for name in route.parameters})
        taken = {one["name"] for one in paths[path]["post"]["parameters"]}
        assert "Idempotency-Key" in taken, route.name
