"""Ask the servers that DATABASE_URL and REDIS_URL name whether they answer, before anything is started upon them."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import OperationalError, connection

from orchestra.embedded.errors import ServerUnreachableError
from orchestra.embedded.services import embedded_servers

_SECONDS = 5


def require_external_servers() -> None:
    """Raise ServerUnreachableError, in one line that says what to write, unless every external server answers."""
    if settings.EMBEDDED_POSTGRES is None:
        _require_postgres()
    if settings.EMBEDDED_VALKEY is None:
        _require_redis()


def servers_answer() -> bool:
    """Say whether PostgreSQL and Redis answer, external or embedded: only then is a program's silence its own."""
    if not all(server.ready() for server in embedded_servers()):
        return False
    try:
        require_external_servers()
    except ServerUnreachableError:
        return False
    return True


def _require_postgres() -> None:
    try:
        connection.ensure_connection()
    except OperationalError as exc:
        raise ServerUnreachableError(
            f"No PostgreSQL can be used at DATABASE_URL: {_first_line(exc)}. "
            "Write it as postgresql://user:password@host:5432/name, or leave it empty for the embedded server."
        ) from exc
    finally:
        connection.close()


def _require_redis() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)
    try:
        client.ping()
    except (redis.RedisError, OSError) as exc:
        raise ServerUnreachableError(
            f"No Redis can be used at REDIS_URL: {_first_line(exc)}. "
            "Write it as redis://:password@host:6379/0, or leave it empty for the embedded server."
        ) from exc
    finally:
        client.close()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0].rstrip(".")
