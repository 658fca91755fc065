"""`manage.py services start|stop|status`: the embedded servers alone, as tests and maintenance need them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.common.errors import OrchestraError
from orchestra.embedded.services import embedded_servers, stop_servers


class Command(BaseCommand):
    """Start, stop or look at the embedded PostgreSQL and Valkey."""

    help = "Start, stop or look at the embedded PostgreSQL and Valkey."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the action."""
        parser.add_argument("action", choices=("start", "stop", "status"), help="what to do with them")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do the action and say what happened, one line a server."""
        if not embedded_servers():
            self.stdout.write("No embedded servers here: DATABASE_URL and REDIS_URL are set.")
        try:
            {"start": self._start, "stop": self._stop, "status": self._status}[options["action"]]()
        except OrchestraError as error:
            raise CommandError(f"{error.message} {error.hint}") from error

    def _start(self) -> None:
        for server in embedded_servers():
            self.stdout.write(f"{server.label} {'started' if server.ensure() else 'ran already'}. Log: {server.log}")

    def _stop(self) -> None:
        stopped = list(stop_servers())
        self.stdout.write(f"Stopped: {', '.join(stopped) or 'nothing ran'}.")

    def _status(self) -> None:
        for server in embedded_servers():
            self.stdout.write(f"{server.label} {'runs' if server.ready() else 'does not run'}. Log: {server.log}")
