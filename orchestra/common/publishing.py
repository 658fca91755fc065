"""Messages to the sockets of a user, sent when the transaction is committed and never before.

Redis is a hint: a message that cannot be sent is logged and dropped, because sockets re-read the truth on their own.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)


def user_group(user_id: UUID) -> str:
    """Return the name of the group that holds all sockets of one user."""
    return f"user.{user_id}"


def publish_on_commit(group: str, message: dict[str, Any]) -> None:
    """Send `message` to `group` after commit; at once outside a transaction."""
    transaction.on_commit(lambda: _send(group, message))


def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group, message)
    except (RedisError, OSError) as exc:
        logger.warning("message not sent", group=group, error=str(exc))
