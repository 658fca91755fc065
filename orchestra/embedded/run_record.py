"""Remember which `run` holds a state directory, and find what a killed one left behind.

Every supervised program carries the run's random token in its environment, and so do the processes it starts. A pid
alone would not do: after a crash it may be anybody's.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import psutil

from orchestra.embedded.errors import AlreadyRunningError

TOKEN_VARIABLE = "ORCHESTRA_RUN"  # noqa: S105 - the name of a variable, no secret

PARTS_FOLDER = "parts"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Who runs, since when (seconds since 1970, tells a reused pid apart), with which token, at which address."""

    pid: int
    started: float
    token: str
    address: str = ""

    @classmethod
    def read(cls, state: Path) -> Self | None:
        """Read the record of the last run; None when there is none."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return cls(**json.loads(_record_path(state).read_text()))
        return None

    def write(self, state: Path) -> None:
        """Keep the record for the next run and for `stop`."""
        draft = _record_path(state).with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(_record_path(state))

    def process(self) -> psutil.Process | None:
        """Return the process that wrote this record, if it still lives."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) < 1:
                return process
        return None


@contextlib.contextmanager
def hold_run(state: Path, grace: float = 5) -> Iterator[RunRecord]:
    """Hold the state directory for one run, after ending what an earlier one left; that has `grace` seconds to end.

    Raises `AlreadyRunningError`, which names the address, when another run holds it.
    """
    state.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock_or_refuse(descriptor, state)
        earlier = RunRecord.read(state)
        if earlier:
            end_leftovers(earlier.token, grace)
        record = RunRecord(os.getpid(), psutil.Process().create_time(), secrets.token_hex(16))
        record.write(state)
        yield record
        _record_path(state).unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def part_directory(state: Path, parts: Sequence[str]) -> Path:
    """Return where a run of these parts alone keeps its record; all parts together have the state directory itself.

    So that web, worker and beat, run apart on one machine, share secrets and models and not one lock.
    """
    return state / PARTS_FOLDER / "-".join(parts) if parts else state


def run_directories(state: Path) -> list[Path]:
    """Return every directory below `state` in which a run may have left its record."""
    return [state, *sorted((state / PARTS_FOLDER).glob("*/"))]


def publish_address(state: Path, record: RunRecord, address: str) -> None:
    """Add the address at which the run answers to its record."""
    replace(record, address=address).write(state)


def is_held(state: Path) -> bool:
    """Say whether a run holds the state directory now."""
    try:
        descriptor = os.open(state / "run.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def end_leftovers(token: str, grace: float) -> int:
    """End the processes that carry a run's token: ask, wait `grace` seconds, kill. Return how many there were."""
    left = _processes_with(token)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=grace)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return len(left)


def _processes_with(token: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(TOKEN_VARIABLE) == token:
                found.append(process)
    return found


def _lock_or_refuse(descriptor: int, state: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        # The other one may be between its lock and its record, or still starting.
        record = RunRecord.read(state)
        where = f" at {record.address}" if record and record.address else ", and is just starting"
        who = f" (process {record.pid})" if record else ""
        raise AlreadyRunningError(f"Orchestra already runs in this folder{where}{who}.") from error


def _record_path(state: Path) -> Path:
    return state / "run.json"
