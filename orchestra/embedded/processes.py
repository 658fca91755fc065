"""Run tools and find processes: what PostgreSQL's and Valkey's launchers and the supervisor share."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SERVICE_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Exit status and joined output of a finished tool."""

    status: int
    output: str


def is_root() -> bool:
    """Say whether this process is the superuser."""
    return os.geteuid() == 0


def find_service_account() -> Account | None:
    """Find the account that PostgreSQL runs as when we are root, because it refuses root; None when there is none."""
    for name in SERVICE_ACCOUNTS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    return None


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy the environment without what would steer the servers' own tools: PG*, LC_*, LANG."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "LC_")) and name not in ("LANG", "LANGUAGE")
    }
    return {**kept, "LC_ALL": "C", **(extra or {})}


def run_tool(argv: Sequence[str | Path], *, account: Account | None = None, timeout: float = 120) -> ToolResult:
    """Run a tool to its end, as `account` when given, and return status and output.

    The output goes through a file: a server that the tool leaves behind inherits it, and a pipe would never end.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as sink:
        finished = subprocess.run(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            cwd="/",  # the service account may not be able to enter the caller's directory
            env=clean_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,  # Ctrl-C is for the parent; it stops its servers itself
            check=False,
        )
        sink.seek(0)
        return ToolResult(finished.returncode, sink.read())


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock between processes for the length of a block; the kernel frees it when the holder dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def wait_until(condition: Callable[[], bool], seconds: float, step: float = 0.05) -> bool:
    """Wait for a condition; answer whether it came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True


def find_processes(name: str, word: str) -> list[psutil.Process]:
    """Find the living processes of the program `name` with `word` in their command line or title."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name().startswith(name) and word in " ".join(process.cmdline()):
                found.append(process)
    return found


def find_process(pid: int, name: str) -> psutil.Process | None:
    """Find the living process `pid` if it is the program `name`: pids are used again after a restart."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.name().startswith(name) and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def read_pid(path: Path) -> int | None:
    """Read the first number of a pid file; None when there is no such file or number."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(path.read_text().split()[0])
    return None


def tail(path: Path, characters: int = 2000) -> str:
    """Return the end of a log, empty when there is none."""
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")[-characters:]
    return ""
