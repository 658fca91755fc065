"""What is sent: signed as Standard Webhooks says, checked here by another implementation; no name, no text."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from files.models import WebhookDelivery
from files.webhooks import messages
from orchestra.common.identifiers import new_id

# The example of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = "1614265330"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def verified(secret: str, headers: dict[str, str], body: bytes) -> None:
    """Raise InvalidSignature unless these headers sign this body, by a library of its own."""
    mac = HMAC(base64.b64decode(secret.removeprefix("whsec_")), hashes.SHA256())
    mac.update(f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body)
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1"
    mac.verify(base64.b64decode(signature))


def test_the_specifications_example_comes_out() -> None:
    verified(SECRET, {"webhook-id": ID, "webhook-timestamp": TIMESTAMP, "webhook-signature": SIGNATURE}, BODY)
    assert messages._signature(SECRET, f"{ID}.{TIMESTAMP}.".encode() + BODY) == SIGNATURE


def test_headers_sign_id_time_and_body() -> None:
    secret, event_id = messages.new_secret(), new_id()
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    headers = messages.headers_of(event_id, moment, BODY, secret)
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (str(event_id), "1767323045")
    verified(secret, headers, BODY)


def test_secrets_are_long_and_never_the_same() -> None:
    first, second = messages.new_secret(), messages.new_secret()
    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


@pytest.mark.parametrize(
    ("event", "address"),
    [("ready", True), ("partial", True), ("failed", True), ("deleted", False)],
)
def test_a_message_tells_what_happened_and_nothing_of_the_file(event: str, address: bool) -> None:
    file_id = new_id()
    delivery = WebhookDelivery(
        webhook_id=new_id(), event=event, file_id=file_id, version=7, occurred_at=datetime(2026, 1, 2, tzinfo=UTC)
    )
    body = messages.body_of(delivery)
    assert body == messages.body_of(delivery)
    assert json.loads(body) == {
        "type": f"file.{event}",
        "timestamp": "2026-01-02T00:00:00+00:00",
        "data": {
            "file": str(file_id),
            "state": event,
            "version": 7,
            "address": f"/api/files/{file_id}/status" if address else None,
        },
    }


def test_a_ping_names_the_webhook() -> None:
    delivery = WebhookDelivery(webhook_id=new_id(), event="ping", occurred_at=datetime(2026, 1, 2, tzinfo=UTC))
    message = json.loads(messages.body_of(delivery))
    assert (message["type"], message["data"]) == ("webhook.ping", {"webhook": str(delivery.webhook_id)})
