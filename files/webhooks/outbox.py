"""Messages to webhooks, written with the change that they tell: both are committed, or neither.

A user without webhooks pays for nothing but a look into an index: the messages are written by the statement that writes
the event. What comes after: `files.webhooks.delivering`, by a hint on commit or, where that is lost, by its sweep.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from files.hints import publish_webhook_hints
from files.models import FileEvent, WebhookEvent
from orchestra.common.identifiers import new_id

# A webhook that is being deleted is waited for and then not there: its row may not go while a message is written.
_MESSAGES = """
INSERT INTO files_webhookdelivery (webhook_id, event_id, event, file_id, version)
SELECT subscribed.id, %(event_id)s, %(event)s, %(file)s, %(version)s
FROM (
    SELECT id FROM files_webhook WHERE owner_id = %(owner)s AND enabled AND %(event)s = ANY(events) FOR KEY SHARE
) AS subscribed
RETURNING webhook_id
"""
_EVENT = """
WITH recorded AS (
    INSERT INTO files_fileevent (file_id, version, status, code, message, details)
    VALUES (%(file)s, %(version)s, %(status)s, %(code)s, %(message)s, %(details)s::jsonb)
)
"""


def save_and_tell(event: FileEvent, kind: WebhookEvent, owner_id: UUID) -> None:
    """Write an event of a file's history, and a message to each of its owner's webhooks that wants such an event."""
    values = {
        "status": event.status,
        "code": event.code,
        "message": event.message,
        "details": json.dumps(event.details),
        **_values(kind, owner_id, event.file_id, event.version),
    }
    _write(_EVENT + _MESSAGES, values)


def tell(kind: WebhookEvent, owner_id: UUID, file_id: UUID, version: int) -> None:
    """Write a message to each of an owner's webhooks that wants such an event, in the caller's transaction."""
    _write(_MESSAGES, _values(kind, owner_id, file_id, version))


def _values(kind: WebhookEvent, owner_id: UUID, file_id: UUID, version: int) -> dict[str, Any]:
    return {"event_id": new_id(), "event": str(kind), "owner": owner_id, "file": file_id, "version": version}


def _write(sql: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        told = [webhook_id for (webhook_id,) in cursor.fetchall()]
    if told:
        transaction.on_commit(lambda: publish_webhook_hints(told))
