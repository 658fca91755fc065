"""`manage.py run` as a whole: first start, second start, a killed parent, an orderly stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from orchestra.embedded.run_record import RunRecord, is_held
from tests.pace import within

ROOT = Path(__file__).resolve().parents[3]
UP_SECONDS = 90

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]


class Run:
    """A started `manage.py run` on a state directory of its own, and what it has printed so far."""

    def __init__(self, state: Path) -> None:
        self.started = time.monotonic()
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run"],
            cwd=ROOT,
            env={**os.environ, "STATE_DIR": str(state), "PORT": "18400", "DATABASE_URL": "", "REDIS_URL": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line

    def wait_for_banner(self) -> str:
        while "Stop with" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() - self.started < within(UP_SECONDS), self.output
            time.sleep(0.05)
        self.seconds = time.monotonic() - self.started
        address: str = re.findall(r"Orchestra runs at\s+(\S+)", self.output)[0]
        return address

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(60)
        self._reader.join(10)
        if self.process.stdout:
            self.process.stdout.close()
        return status


@pytest.fixture
def run(state: Path) -> Iterator[Callable[[], Run]]:
    started: list[Run] = []

    def start() -> Run:
        started.append(Run(state))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def processes_of(state: Path) -> list[str]:
    """Describe the processes that work in or for a state directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("STATE_DIR") == str(state):
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return found


def manage(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=within(90),
        check=False,
    )


def test_one_command_runs_everything_again_and_again(run: Callable[[], Run], state: Path) -> None:
    first = run()
    address = first.wait_for_banner()
    with urllib.request.urlopen(f"{address}api/health/live", timeout=within(5)) as answer:
        assert answer.status == 200
    password = re.findall(r"password: (\S+)", first.output)[0]
    kept = state / "secrets" / "admin_password"
    assert kept.read_text().strip() == password
    assert kept.stat().st_mode & 0o777 == 0o600
    assert first.stop(signal.SIGINT) == 0
    assert processes_of(state) == []
    assert RunRecord.read(state) is None

    second = run()
    second.wait_for_banner()
    assert second.seconds < within(10)
    assert password not in second.output
    second.process.kill()
    second.process.wait()
    assert not is_held(state)

    third = run()
    third.wait_for_banner()
    assert "PostgreSQL runs already." in third.output
    assert "Valkey runs already." in third.output
    stopped = manage(state, "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert third.process.wait(10) == 0
    assert processes_of(state) == []
