"""The real product for tests: `manage.py run` as a child process with a state directory of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from psycopg.types.json import Jsonb

from orchestra.embedded.postgres import EmbeddedPostgres
from orchestra.embedded.valkey import EmbeddedValkey
from tests.environment import VAR
from tests.pace import within

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90


@dataclass(frozen=True)
class Stack:
    """A running product."""

    state: Path
    url: str
    process: subprocess.Popen[bytes]
    log: Path
    clients: ExitStack
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def websocket_url(self) -> str:
        """The status socket's address."""
        return self.url.replace("http", "ws", 1) + "/ws/status/"

    def manage(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a management command against this product."""
        return self.python("manage.py", *arguments, timeout=timeout)

    def python(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run Python with the settings of this product."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=_environment(self.state, **self.settings),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @contextmanager
    def beside(self, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program with the settings of this product while the block lasts, then end it."""
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(self.state, **self.settings))
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def create_user(self, name: str, password: str = "correct horse battery") -> None:
        """Create an ordinary user: the administrator's row, in what differs another; a command would take seconds."""
        differs = {
            "id": str(uuid4()),
            "username": name,
            "password": _hashed(password),
            "email": "",
            "is_staff": False,
            "is_superuser": False,
            "last_login": None,
        }
        with self.database() as database:
            database.execute(
                "INSERT INTO accounts_user SELECT (jsonb_populate_record(a, %s)).* FROM accounts_user a "
                "WHERE username = 'admin' ON CONFLICT (username) DO NOTHING",
                [Jsonb(differs)],
            )

    def client(self, name: str, password: str = "correct horse battery") -> httpx.Client:
        """Return an API client signed in as a user."""
        self.create_user(name, password)
        answer = httpx.post(f"{self.url}/api/auth/token", json={"username": name, "password": password})
        headers = {"Authorization": f"Bearer {answer.json()['access']}"}
        return self.clients.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=60))

    def administrator(self) -> tuple[str, str]:
        """Return the first administrator's name and password."""
        return "admin", (self.state / "secrets" / "admin_password").read_text().strip()

    def database(self) -> psycopg.Connection[Any]:
        """Connect to this product's PostgreSQL."""
        facts = EmbeddedPostgres(self.state).connection()
        return psycopg.connect(host=facts["HOST"], user=facts["USER"], dbname=facts["NAME"], autocommit=True)

    def redis(self) -> Any:
        """Connect to this product's Redis-protocol server."""
        import redis

        return redis.Redis.from_url(EmbeddedValkey(self.state).url())

    def processes(self, word: str) -> list[psutil.Process]:
        """Return the child processes of the run whose command line holds `word`, parents before children."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if any(word in part for part in process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found


@cache
def _hashed(password: str) -> str:
    return PBKDF2PasswordHasher().encode(password, "salt of the tests")


def _environment(state: Path, **more: str) -> dict[str, str]:
    kept = {
        key: value for key, value in os.environ.items() if key not in ("EMBEDDING_ENGINE", "LOG_LEVEL", "STATE_DIR")
    }
    return {**kept, "STATE_DIR": str(state), **more}


@contextmanager
def running_stack(name: str, *, fresh: bool = True, **settings: str) -> Iterator[Stack]:
    """Start the product in an empty state directory, or the one left before; stop it at the end."""
    state = VAR / f"test-{name}"
    if fresh:
        shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True, exist_ok=True)
    log = state / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run"],
            cwd=ROOT,
            env=_environment(state, **{"PORT": "18400", **settings}),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        with ExitStack() as clients:
            yield Stack(state, _address(process, log), process, log, clients, settings)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        finally:
            process.kill()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + within(START_SECONDS)
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text(errors="replace").splitlines():
            if "runs at" in line:
                return "http://" + line.split("http://", 1)[1].strip().rstrip("/")
        time.sleep(0.1)
    raise AssertionError(f"the product did not start:\n{log.read_text(errors='replace')[-3000:]}")


def wait_for(what: str, condition: Any, seconds: float = 60, every: float = 0.2) -> Any:
    """Return the first true value of `condition()`; fail after `seconds` on an idle machine, saying for what."""
    until = time.monotonic() + within(seconds)
    while time.monotonic() < until:
        if value := condition():
            return value
        time.sleep(every)
    raise AssertionError(f"waited {seconds} s for {what}")
