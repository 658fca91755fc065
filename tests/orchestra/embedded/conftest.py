"""Directories for embedded servers, and the servers themselves, stopped whatever happens."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestra.embedded.postgres import EmbeddedPostgres
from orchestra.embedded.processes import find_process, read_pid
from orchestra.embedded.valkey import EmbeddedValkey


@contextlib.contextmanager
def made_open_directory() -> Iterator[Path]:
    """Make a directory that other accounts can pass through; pytest's own are closed to the account of PostgreSQL."""
    directory = Path(tempfile.mkdtemp(prefix="orchestra-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that other accounts can pass through."""
    with made_open_directory() as directory:
        yield directory


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for all tests of a module; it may be stopped: each test ensures what it needs."""
    with made_open_directory() as directory:
        yield EmbeddedPostgres(directory / "var")
        stop_all(directory / "var")


@pytest.fixture
def make_state(open_directory: Path) -> Iterator[Callable[[str], Path]]:
    """Makes state directories of clones with the given names; their servers are stopped at the end."""
    made: list[Path] = []

    def make(clone: str) -> Path:
        made.append(open_directory / clone / "var")
        return made[-1]

    yield make
    for state in made:
        stop_all(state)


@pytest.fixture
def state(make_state: Callable[[str], Path]) -> Path:
    """The state directory of one clone."""
    return make_state("clone")


def stop_all(state: Path) -> None:
    """Stop the servers of a state directory and remove the sockets' short directories."""
    postgres, valkey = EmbeddedPostgres(state), EmbeddedValkey(state)
    pid = read_pid(postgres.data / "postmaster.pid")
    process = find_process(pid, "postgres") if pid else None
    if process:  # at once, without the checkpoint of an orderly stop: the data goes away
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
    valkey.stop()
    for sockets in (Path(postgres.connection()["HOST"]), valkey.socket.parent):
        shutil.rmtree(sockets, ignore_errors=True)
