"""`manage.py run`: the whole of Orchestra from one command, under one parent; with `--only`, a part of it.

Servers, migrations, the first administrator, the port, then web, worker and beat until Ctrl-C. The steps that need
Django are here; keeping the programs up is the supervisor's. A part of its own starts no server and migrates nothing:
it waits for the database to be brought up to date by `manage.py prepare`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.common.errors import OrchestraError
from orchestra.embedded.console import Console
from orchestra.embedded.database import FirstAdministrator, prepare_database, wait_for_database
from orchestra.embedded.errors import PartNeedsServersError, ProgramFailedError
from orchestra.embedded.external import require_external_servers, servers_answer
from orchestra.embedded.ports import TRIES, Listener, listen
from orchestra.embedded.probe import WebProbe
from orchestra.embedded.programs import PARTS, product_programs
from orchestra.embedded.run_record import RunRecord, hold_run, part_directory, publish_address
from orchestra.embedded.services import embedded_servers, stop_servers
from orchestra.embedded.stopping import StopRequest
from orchestra.embedded.supervisor import Supervisor
from orchestra.embedded.watching import ServerWatch
from orchestra.settings.env import environment
from orchestra.settings.server_variables import BASE_DIR

WEB_SECONDS = 120


class Command(BaseCommand):
    """Run Orchestra on this machine."""

    help = "Start the embedded servers, migrate, and run web, worker and beat until Ctrl-C; or some of these alone."
    requires_system_checks = []  # `migrate` runs them

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare host and port, which default to the settings, and the parts."""
        only = "run these parts alone, upon the servers of DATABASE_URL and REDIS_URL, after `prepare`"
        parser.add_argument("--only", nargs="+", choices=PARTS, default=[], help=only)
        parser.add_argument("--host", default=environment().host, help="address to listen on (default %(default)s)")
        parser.add_argument("--port", type=int, default=environment().port, help="first port to try (%(default)s)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until somebody asks to stop; exit with one clear message when a part cannot run."""
        stop = StopRequest()
        try:
            only = [part for part in PARTS if part in options["only"]]
            if only and embedded_servers():
                raise PartNeedsServersError
            with hold_run(part_directory(settings.STATE_DIR, only)) as record:
                _Run(record, stop, only, options["host"], options["port"]).to_the_end()
        except OrchestraError as error:
            raise CommandError(f"{error.message}\n{error.hint}".strip()) from error


class _Run:
    """One run, from the servers' start to their stop."""

    def __init__(self, record: RunRecord, stop: StopRequest, only: list[str], host: str, port: int) -> None:
        self._state: Path = settings.STATE_DIR
        self._only = only
        self._parts = only or list(PARTS)
        self._record = record
        self._stop = stop
        self._host = host
        self._port = port
        self._console = Console(sys.stdout, self._state / "logs", self._parts)
        self._supervisor = Supervisor(BASE_DIR, record.token, self._console, may_judge=servers_answer)
        self._servers = ServerWatch(embedded_servers(), self._console.say)

    def to_the_end(self) -> None:
        """Start everything, wait for the end, and stop everything on every way out."""
        try:
            self._start_servers()
            administrator = None if self._stop.made() else self._prepare_database()
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

    def _prepare_database(self) -> FirstAdministrator | None:
        """Bring the database up to date and make the first administrator; a part of its own waits for that."""
        administrator = None
        if self._only:
            wait_for_database(self._stop.made, self._console.say)
        else:
            administrator = prepare_database()
        if not self._stop.made():
            self._console.say("Database is up to date.")
        return administrator

    def _serve(self, administrator: FirstAdministrator | None) -> None:
        listener = self._listen() if "web" in self._parts else None
        descriptor = listener.socket.fileno() if listener else None
        concurrency = environment().worker_concurrency
        self._supervisor.start(product_programs(self._state, descriptor, concurrency, self._parts))
        if listener:
            self._wait_for_web(listener)
        if not self._stop.made():
            self._announce(self._address(listener) if listener else "", administrator)
        while not self._stop.made():
            self._supervisor.step()
            self._servers.step()

    def _listen(self) -> Listener:
        # Behind a proxy, which knows one port, another one would be no help.
        listener = listen(self._host, self._port, 1 if self._only else TRIES)
        if listener.port != listener.wanted:
            who = f" by {listener.holder}" if listener.holder else ""
            self._console.say(f"Port {listener.wanted} is taken{who}; using {listener.port}.")
        publish_address(part_directory(self._state, self._only), self._record, self._address(listener))
        return listener

    def _address(self, listener: Listener) -> str:
        return f"http://{_name_for_browser(self._host)}:{listener.port}/"

    def _wait_for_web(self, listener: Listener) -> None:
        deadline = time.monotonic() + WEB_SECONDS
        # A name that the web answers to: to any other it answers too, but with an error in its log.
        allowed = next(iter(settings.ALLOWED_HOSTS), "").lstrip(".*")
        probe = WebProbe(_name_for_browser(self._host).strip("[]"), listener.port, allowed)
        while not (self._stop.made() or probe.answered()):
            self._supervisor.step(0.1)
            if time.monotonic() > deadline:
                raise ProgramFailedError(f"The web did not answer within {WEB_SECONDS} s.")

    def _announce(self, address: str, administrator: FirstAdministrator | None) -> None:
        what = "Orchestra" if not self._only else " and ".join(self._parts).capitalize()
        rows = [(f"{what} runs at", address)] if address else [(f"{what} runs", "")]
        if administrator:
            rows.append(("Administrator", f"{administrator.username}   password: {administrator.password}"))
            rows.append(("", f"(shown this once; kept in {administrator.password_file}, readable by you only)"))
        rows += [("Logs", str(self._state / "logs")), ("Stop with", "Ctrl-C")]
        self._console.say("")
        for label, text in rows:
            self._console.say(f"  {label:<18} {text}".rstrip())
        self._console.say("")


def _name_for_browser(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
