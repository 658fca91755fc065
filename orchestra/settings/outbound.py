"""What may be asked of other machines, and what stays open when nothing may (`orchestra.common.outbound`)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from urllib.parse import urlsplit

from orchestra.common.outbound import guard
from orchestra.settings.database import DATABASES
from orchestra.settings.env import environment
from orchestra.settings.queue import REDIS_URL

# Hosts and networks that may be asked although they are not public.
OUTBOUND_ALLOWED_PRIVATE = environment().outbound_allowed_private

WEBHOOK_FAILING_DAYS = environment().webhook_failing_days


def _database_servers() -> Iterator[tuple[str, int]]:
    hosts, ports = DATABASES["default"]["HOST"].split(","), DATABASES["default"]["PORT"].split(",")
    for host, port in zip_longest(hosts, ports, fillvalue=ports[-1]):
        if host and not host.startswith("/"):  # a folder: a unix socket
            yield host, int(port or 5432)


def _redis_servers() -> Iterator[tuple[str, int]]:
    parts = urlsplit(REDIS_URL)
    if parts.scheme in ("redis", "rediss"):
        yield parts.hostname or "localhost", parts.port or 6379


guard.allow([*_database_servers(), *_redis_servers()])
