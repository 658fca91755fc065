"""What a webhook is sent, and how it is signed: by Standard Webhooks (https://www.standardwebhooks.com).

No name and no text of a file is in it: what happened to which file, and where to ask for more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from files.models import WebhookDelivery, WebhookEvent

SECRET_PREFIX = "whsec_"  # noqa: S105  # what a secret begins with
_SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new secret as its owner gets it: a prefix, and random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def body_of(delivery: WebhookDelivery) -> bytes:
    """Return the body: the same bytes at each attempt."""
    if delivery.event == WebhookEvent.PING:
        kind, data = "webhook.ping", {"webhook": str(delivery.webhook_id)}
    else:
        kind, data = f"file.{delivery.event}", _file(delivery)
    message = {"type": kind, "timestamp": delivery.occurred_at.isoformat(), "data": data}
    return json.dumps(message, separators=(",", ":")).encode()


def _file(delivery: WebhookDelivery) -> dict[str, Any]:
    there = delivery.event != WebhookEvent.DELETED
    return {
        "file": str(delivery.file_id),
        "state": delivery.event,
        "version": delivery.version,
        "address": reverse("api-file-status", args=[delivery.file_id]) if there else None,
    }


def headers_of(event_id: UUID, moment: datetime, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers that say which message this is, when it was sent, and that it is ours."""
    timestamp = str(int(moment.timestamp()))
    return {
        "Content-Type": "application/json",
        "webhook-id": str(event_id),
        "webhook-timestamp": timestamp,
        "webhook-signature": _signature(secret, f"{event_id}.{timestamp}.".encode() + body),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
