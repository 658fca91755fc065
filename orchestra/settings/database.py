"""PostgreSQL: the embedded server, or the one that DATABASE_URL names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from orchestra.embedded.postgres import EmbeddedPostgres
from orchestra.settings.base import STATE_DIR
from orchestra.settings.env import environment


def _from_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    # A host that swallows packets must not hold up a start for minutes.
    options = {"connect_timeout": "5", **dict(parse_qsl(parts.query))}
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


EMBEDDED_POSTGRES = None if environment().database_url else EmbeddedPostgres(STATE_DIR)

_connection: Mapping[str, Any] = (
    EMBEDDED_POSTGRES.connection() if EMBEDDED_POSTGRES else _from_url(environment().database_url)
)

# `min_size` of 0: nothing tries to reconnect in the background while the servers are being stopped. Tries to reconnect
# come at growing pauses and whoever asks meanwhile waits for them: after two seconds the next request begins them anew,
# so that a server that is back is used at once.
_pool = {
    "pool": {
        "min_size": 0,
        "max_size": environment().database_pool,
        "timeout": 5,
        "max_idle": 120,
        "reconnect_timeout": 2,
    }
}

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        # Under ASGI each request runs in a thread of its own: connections that persist would be left behind, one per
        # thread, until the server refuses more. The pool is what spares the web a new connection for each request.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        **_connection,
        "OPTIONS": {**_connection.get("OPTIONS", {}), **(_pool if environment().database_pool else {})},
    }
}
