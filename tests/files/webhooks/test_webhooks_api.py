"""The webhooks API: the secret once, changes, the log page by page, others' webhooks as unknown ones."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from files.models import Webhook, WebhookEvent
from files.webhooks import delivering, outbox
from orchestra.accounts.models import User
from orchestra.common.identifiers import new_id
from tests.answers import error_of
from tests.orchestra.common.outbound.answering import Server, send

PATH = "/api/webhooks"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hints")]


@pytest.fixture
def made(as_alice: APIClient, receiver: Server) -> dict[str, Any]:
    answer = as_alice.post(PATH, {"url": receiver.url(), "events": ["ready", "failed"]})
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


def test_the_secret_is_given_once(as_alice: APIClient, made: dict[str, Any]) -> None:
    assert made["secret"].startswith("whsec_")
    assert (made["events"], made["enabled"], made["disabled_reason"]) == (["ready", "failed"], True, "")
    address = f"{PATH}/{made['id']}"
    answers = [as_alice.get(PATH), as_alice.get(address), as_alice.patch(address, {"enabled": False})]
    answers += [as_alice.post(f"{address}/test"), as_alice.get(f"{address}/deliveries")]
    answers += [as_alice.get(address, headers={"Accept": "text/html"})]
    for answer in answers:
        assert answer.status_code == 200
        assert made["secret"] not in answer.content.decode()
    assert as_alice.get(PATH).json()["count"] == 1


def test_without_events_it_gets_all_of_a_file(as_alice: APIClient) -> None:
    body = as_alice.post(PATH, {"url": "https://example.org/"}).json()
    assert body["events"] == ["ready", "partial", "failed", "deleted"]


def test_it_is_changed_and_deleted(as_alice: APIClient, made: dict[str, Any]) -> None:
    address = f"{PATH}/{made['id']}"
    changed = as_alice.patch(address, {"url": "https://example.org/other", "events": ["deleted"], "enabled": False})
    body = changed.json()
    assert (body["url"], body["events"], body["enabled"]) == ("https://example.org/other", ["deleted"], False)
    assert as_alice.delete(address).status_code == 204
    assert error_of(as_alice.get(address), 404)["code"] == "webhook_not_found"
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"url": ""},
        {"url": "ftp://example.org"},
        {"url": "https://example.org/" + "x" * 2000},
        {"url": "https://example.org/\x00"},
        {"url": ["https://example.org/"]},
        {"url": "https://example.org/", "events": []},
        {"url": "https://example.org/", "events": ["ping"]},
        {"url": "https://example.org/", "events": ["queued"]},
        {"url": "https://example.org/", "events": "ready"},
        {"url": "https://example.org/", "events": ["ready"] * 30},
    ],
)
def test_a_body_that_is_none_is_told(as_alice: APIClient, wrong: dict[str, Any]) -> None:
    assert error_of(as_alice.post(PATH, wrong), 400)["code"] in ("invalid", "webhook_invalid")
    assert not Webhook.objects.exists()


def test_a_test_says_what_came_of_it(as_alice: APIClient, made: dict[str, Any], receiver: Server) -> None:
    address = f"{PATH}/{made['id']}/test"
    said = as_alice.post(address).json()
    assert (said["event"], said["state"], said["response_status"], said["file"]) == ("ping", "delivered", 200, None)
    receiver.answer = lambda handler: send(handler, b"no", 500)
    said = as_alice.post(address).json()
    assert (said["state"], said["response_status"], said["error_code"]) == ("failed", 500, "")
    as_alice.patch(f"{PATH}/{made['id']}", {"url": "http://10.0.0.1:8000/"})
    said = as_alice.post(address).json()
    assert (said["state"], said["response_status"], said["error_code"]) == ("failed", None, "outbound_refused")


def test_the_log_comes_page_by_page(as_alice: APIClient, alice: User, made: dict[str, Any]) -> None:
    files = [new_id() for _ in range(3)]
    for file_id in files:
        outbox.tell(WebhookEvent.READY, alice.pk, file_id, 3)
    delivering.send_due(Webhook.objects.get().pk)
    address = f"{PATH}/{made['id']}/deliveries"
    first = as_alice.get(f"{address}?page_size=2").json()
    assert first["count"] == 3
    assert [row["file"] for row in first["results"]] == [str(files[2]), str(files[1])]
    row = first["results"][0]
    assert (row["state"], row["attempt"], row["response_status"], row["version"]) == ("delivered", 1, 200, 3)
    with CaptureQueriesContext(connection) as few:
        as_alice.get(f"{address}?page_size=1")
    with CaptureQueriesContext(connection) as many:
        as_alice.get(f"{address}?page_size=3")
    assert len(few) == len(many)


def test_anothers_is_an_unknown_one(as_bob: APIClient, made: dict[str, Any], receiver: Server) -> None:
    address = f"{PATH}/{made['id']}"
    for answer in (
        as_bob.get(address),
        as_bob.patch(address, {"enabled": False}),
        as_bob.delete(address),
        as_bob.post(f"{address}/test"),
        as_bob.get(f"{address}/deliveries"),
    ):
        assert error_of(answer, 404)["code"] == "webhook_not_found"
    assert as_bob.get(PATH).json()["count"] == 0
    assert receiver.asked == []
    assert Webhook.objects.get().enabled
