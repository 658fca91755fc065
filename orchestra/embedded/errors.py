"""What can go wrong with the services and programs that Orchestra runs itself."""

from __future__ import annotations

from typing import ClassVar

from orchestra.common.errors import OrchestraError


class EmbeddedServiceError(OrchestraError):
    """An embedded server cannot be started, reached or stopped."""

    code: ClassVar[str] = "embedded_service_failed"
    status: ClassVar[int] = 503
    default_message: ClassVar[str] = "A server that Orchestra runs itself did not start."
    default_hint: ClassVar[str] = "Read its log under var/logs, or set DATABASE_URL and REDIS_URL to your own servers."


class AlreadyRunningError(OrchestraError):
    """Another `run` holds this clone."""

    code: ClassVar[str] = "already_running"
    status: ClassVar[int] = 409
    default_message: ClassVar[str] = "Orchestra already runs in this folder."
    default_hint: ClassVar[str] = "Stop it with Ctrl-C in its terminal, or with `python manage.py stop`."


class ProgramFailedError(OrchestraError):
    """A supervised program keeps dying, or the web never answered."""

    code: ClassVar[str] = "program_failed"
    default_message: ClassVar[str] = "A part of Orchestra does not stay up."
    default_hint: ClassVar[str] = "Its last lines are printed above; the whole log is under var/logs."


class ServerUnreachableError(OrchestraError):
    """A server that DATABASE_URL or REDIS_URL names does not answer, or refuses us."""

    code: ClassVar[str] = "server_unreachable"
    status: ClassVar[int] = 503
    default_message: ClassVar[str] = "An external server does not answer."


class DatabaseNotReadyError(OrchestraError):
    """Migrations are missing, and nobody applied them in time."""

    code: ClassVar[str] = "database_not_ready"
    status: ClassVar[int] = 503
    default_message: ClassVar[str] = "The database is not at this version, and nobody brought it there in time."
    default_hint: ClassVar[str] = "Run `manage.py prepare` of this version once; its output says what is wrong."


class PartNeedsServersError(OrchestraError):
    """A part was to run apart, with no server that the other parts could share."""

    code: ClassVar[str] = "part_needs_servers"
    status: ClassVar[int] = 409
    default_message: ClassVar[str] = "Parts run apart only upon servers that they share."
    default_hint: ClassVar[str] = "Set DATABASE_URL and REDIS_URL, or run everything with `make run`."
