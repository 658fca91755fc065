"""The embedded servers of this project as one ordered set: PostgreSQL first, Valkey second, stopped the other way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from django.conf import settings


class EmbeddedServer(Protocol):
    """What both servers offer."""

    label: str
    log: Path

    def ensure(self) -> bool:
        """Start the server unless it runs; return whether this call started it."""

    def ready(self) -> bool:
        """Say whether it answers."""

    def alive(self) -> bool:
        """Say whether its process is there, answering or not."""

    def stop(self) -> bool:
        """Stop it; return whether there was one."""


def embedded_servers() -> tuple[EmbeddedServer, ...]:
    """Return the servers that this project runs itself: none where DATABASE_URL or REDIS_URL name others."""
    configured: tuple[EmbeddedServer | None, ...] = (settings.EMBEDDED_POSTGRES, settings.EMBEDDED_VALKEY)
    return tuple(server for server in configured if server is not None)


def stop_servers() -> Iterator[str]:
    """Stop the embedded servers in reverse order; yield the names of those that ran."""
    for server in reversed(embedded_servers()):
        if server.stop():
            yield server.label
