"""Hints in Redis: "there is a job to claim", "there is something to tell a webhook", "an import should begin".

Losing one costs seconds, or a minute for an import, until a sweep sends it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from celery_app import app
from orchestra.common import failpoints

logger = structlog.get_logger(__name__)

PROCESS_TASK = "files.tasks.process_next"
QUEUE = "files"
WEBHOOK_TASK = "files.tasks.send_webhook"
IMPORT_TASK = "files.tasks.import_source"
SYSTEM_QUEUE = "system"  # not among the hints of files, which the sweeper counts
_WEBHOOK_SECONDS = 60  # a hint that is older was sent again by the sweep


def publish_hints(count: int) -> None:
    """Send `count` hints. A dead Redis is logged and never fails the caller: the job is in PostgreSQL."""
    failpoints.reach("hint.publishing")
    try:
        for _ in range(count):
            app.send_task(PROCESS_TASK, queue=QUEUE)
            failpoints.reach("hint.published")
    except (KombuError, RedisError, OSError) as exc:
        logger.warning("hint not sent", error=str(exc))


def publish_webhook_hints(webhooks: Iterable[UUID]) -> None:
    """Say to which webhooks there is something to send. A dead Redis is logged: the messages are in PostgreSQL."""
    try:
        for webhook_id in webhooks:
            app.send_task(WEBHOOK_TASK, [str(webhook_id)], queue=SYSTEM_QUEUE, expires=_WEBHOOK_SECONDS)
    except (KombuError, RedisError, OSError) as exc:
        logger.warning("hint not sent", error=str(exc))


def publish_import(integration_id: UUID) -> None:
    """Send a hint that a connection's import should begin. A lost one costs a minute: beat looks for what is due."""
    try:
        app.send_task(IMPORT_TASK, args=[str(integration_id)], queue=SYSTEM_QUEUE, expires=600)
    except (KombuError, RedisError, OSError) as exc:
        logger.warning("hint not sent", error=str(exc))


def waiting_hints() -> int:
    """Return how many hints wait in Redis; 0 when Redis is empty, new or away."""
    try:
        with app.connection_for_read() as connection:
            # The list itself: declaring the queue passively looks for it without our key prefix and never finds it.
            channel: Any = connection.default_channel  # the stubs know no Redis channel
            return int(channel.client.llen(QUEUE))
    except (KombuError, RedisError, OSError):
        return 0
