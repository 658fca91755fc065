"""Messages to the sockets of a user, sent when the transaction is committed and never before.

Redis is a hint: a message that cannot be sent is logged and dropped, because sockets re-read the truth on their own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any
from uuid import UUID

import structlog
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from orchestra.common import failpoints

logger = structlog.get_logger(__name__)

# A stuck Redis may hold up a request or a job for this long, and no longer.
_SECONDS = 2.0


def user_group(user_id: UUID) -> str:
    """Return the name of the group that holds all sockets of one user."""
    return f"user.{user_id}"


def publish_on_commit(group: str, message: dict[str, Any]) -> None:
    """Send `message` to `group` after commit; at once outside a transaction."""
    transaction.on_commit(lambda: _send(group, message))


class _Publisher:
    """One event loop in one thread per process: a new loop and connection per message would cost ten times as much."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def send(self, group: str, message: dict[str, Any]) -> None:
        """Hand the message to the channel layer. Raises what the layer raises, TimeoutError after two seconds."""
        layer: Any = get_channel_layer()
        asyncio.run_coroutine_threadsafe(layer.group_send(group, message), self._running()).result(_SECONDS)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="publisher", daemon=True).start()
            return self._loop


_publisher = _Publisher()


def _start_anew_in_child() -> None:
    """Threads do not survive a fork, and the parent's connections are the parent's."""
    global _publisher  # noqa: PLW0603  # one per process is the point of it
    _publisher = _Publisher()


os.register_at_fork(after_in_child=_start_anew_in_child)


def _send(group: str, message: dict[str, Any]) -> None:
    failpoints.reach("notify.sending")
    try:
        _publisher.send(group, message)
    except (RedisError, OSError, TimeoutError) as exc:
        logger.warning("message not sent", group=group, error=str(exc) or type(exc).__name__)
