"""`manage.py run`: the whole of Orchestra from one command, under one parent.

Servers, migrations, the first administrator, the port, then web, worker and beat until Ctrl-C. The steps that need
Django are here; keeping the programs up is the supervisor's.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils.module_loading import import_string

from orchestra.common.errors import OrchestraError
from orchestra.embedded.console import Console
from orchestra.embedded.errors import ProgramFailedError
from orchestra.embedded.external import require_external_servers, servers_answer
from orchestra.embedded.ports import Listener, listen
from orchestra.embedded.probe import WebProbe
from orchestra.embedded.programs import product_programs
from orchestra.embedded.run_record import RunRecord, hold_run, publish_address
from orchestra.embedded.services import embedded_servers, stop_servers
from orchestra.embedded.stopping import StopRequest
from orchestra.embedded.supervisor import Supervisor
from orchestra.embedded.watching import ServerWatch
from orchestra.settings.env import BASE_DIR, environment

FIRST_ADMINISTRATOR = "orchestra.accounts.services.ensure_administrator"
WEB_SECONDS = 120


class FirstAdministrator(Protocol):
    """What the accounts tell about the account that they made."""

    username: str
    password: str
    password_file: Path


class Command(BaseCommand):
    """Run Orchestra on this machine."""

    help = "Start the embedded servers, migrate, and run web, worker and beat until Ctrl-C."
    requires_system_checks = []  # `migrate` runs them

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare host and port; both default to the settings."""
        parser.add_argument("--host", default=environment().host, help="address to listen on (default %(default)s)")
        parser.add_argument("--port", type=int, default=environment().port, help="first port to try (%(default)s)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until somebody asks to stop; exit with one clear message when a part cannot run."""
        stop = StopRequest()
        try:
            with hold_run(settings.STATE_DIR) as record:
                _Run(record, stop, options["host"], options["port"]).to_the_end()
        except OrchestraError as error:
            raise CommandError(f"{error.message}\n{error.hint}".strip()) from error


class _Run:
    """One run, from the servers' start to their stop."""

    def __init__(self, record: RunRecord, stop: StopRequest, host: str, port: int) -> None:
        self._state: Path = settings.STATE_DIR
        self._record = record
        self._stop = stop
        self._host = host
        self._port = port
        self._console = Console(sys.stdout, self._state / "logs", ("web", "worker", "beat"))
        self._supervisor = Supervisor(BASE_DIR, record.token, self._console, may_judge=servers_answer)
        self._servers = ServerWatch(embedded_servers(), self._console.say)

    def to_the_end(self) -> None:
        """Start everything, wait for the end, and stop everything on every way out."""
        try:
            self._start_servers()
            administrator = None if self._stop.made() else self._migrate()
            if not self._stop.made():
                self._serve(administrator)
        finally:
            self._console.say("Stopping...")
            self._supervisor.stop(self._stop.urgent)
            for label in stop_servers():
                self._console.say(f"{label} stopped.")
            self._console.say("Stopped.")
            self._console.close()

    def _start_servers(self) -> None:
        require_external_servers()
        for server in embedded_servers():
            if not self._stop.made():
                self._console.say(f"{server.label} {'started' if server.ensure() else 'runs already'}.")

    def _migrate(self) -> FirstAdministrator | None:
        """Bring the database up to date and make the first administrator if there is none."""
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        administrator: FirstAdministrator | None = import_string(FIRST_ADMINISTRATOR)()
        connections.close_all()
        self._console.say("Database is up to date.")
        return administrator

    def _serve(self, administrator: FirstAdministrator | None) -> None:
        listener = listen(self._host, self._port)
        if listener.port != listener.wanted:
            who = f" by {listener.holder}" if listener.holder else ""
            self._console.say(f"Port {listener.wanted} is taken{who}; using {listener.port}.")
        address = f"http://{_name_for_browser(self._host)}:{listener.port}/"
        publish_address(self._state, self._record, address)
        concurrency = environment().worker_concurrency
        self._supervisor.start(product_programs(self._state, settings.PULSE_DIR, listener.socket.fileno(), concurrency))
        self._wait_for_web(listener)
        if not self._stop.made():
            self._announce(address, administrator)
        while not self._stop.made():
            self._supervisor.step()
            self._servers.step()

    def _wait_for_web(self, listener: Listener) -> None:
        deadline = time.monotonic() + WEB_SECONDS
        probe = WebProbe(_name_for_browser(self._host).strip("[]"), listener.port)
        while not (self._stop.made() or probe.answered()):
            self._supervisor.step(0.1)
            if time.monotonic() > deadline:
                raise ProgramFailedError(f"The web did not answer within {WEB_SECONDS} s.")

    def _announce(self, address: str, administrator: FirstAdministrator | None) -> None:
        rows = [("Orchestra runs at", address)]
        if administrator:
            rows.append(("Administrator", f"{administrator.username}   password: {administrator.password}"))
            rows.append(("", f"(shown this once; kept in {administrator.password_file}, readable by you only)"))
        rows += [("Logs", str(self._state / "logs")), ("Stop with", "Ctrl-C")]
        self._console.say("")
        for label, text in rows:
            self._console.say(f"  {label:<18} {text}")
        self._console.say("")


def _name_for_browser(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
