"""The embedded PostgreSQL for as long as a command needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections


@contextmanager
def database_running() -> Iterator[None]:
    """Start the embedded PostgreSQL unless it runs, and stop it again then; a server of one's own is left alone."""
    server = settings.EMBEDDED_POSTGRES
    if server is None or not server.ensure():
        yield
        return
    try:
        yield
    finally:
        connections.close_all()
        server.stop()
