"""PostgreSQL: the embedded server, or the one that DATABASE_URL names."""

from __future__ import annotations

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

_connection = EMBEDDED_POSTGRES.connection() if EMBEDDED_POSTGRES else _from_url(environment().database_url)

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        **_connection,
    }
}
