"""The parts of a running product, each of which can be killed, frozen, thawed and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from enum import StrEnum
from pathlib import Path

import psutil

from orchestra.embedded.ports import WEB_MODULE
from orchestra.embedded.postgres import EmbeddedPostgres
from orchestra.embedded.processes import read_pid
from orchestra.embedded.valkey import EmbeddedValkey
from tests.stack import Stack, wait_for


class Part(StrEnum):
    """What can be struck. A pool's child is what runs jobs; the group is parent, children and their readers."""

    WEB = "web"
    WORKER_PARENT = "worker parent"
    WORKER_CHILD = "worker child"
    WORKER_GROUP = "worker group"
    BEAT = "beat"
    POSTGRES = "postgres"
    REDIS = "redis"


class Parts:
    """Finds and strikes the parts of one product.

    Web, worker and beat are restarted by their supervisor; PostgreSQL and Redis by `start`, where nobody else does it.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def processes(self, part: Part) -> list[psutil.Process]:
        """Return the living processes of a part, the leading one first; none while it is being restarted."""
        if part is Part.POSTGRES:
            return _process_of(read_pid(EmbeddedPostgres(self._stack.state).data / "postmaster.pid"))
        if part is Part.REDIS:
            return _process_of(read_pid(self._stack.state / "valkey" / "valkey.pid"))
        if part is Part.WEB:
            return self._programs(WEB_MODULE)
        if part is Part.BEAT:
            return self._programs("beat")
        parents = self._programs("worker")
        if part is Part.WORKER_PARENT:
            return parents
        children = [child for parent in parents for child in _children(parent)]
        return children if part is Part.WORKER_CHILD else parents + children

    def _programs(self, word: str) -> list[psutil.Process]:
        """Return the supervisor's own children that were started with `word`."""
        return [process for process in _children(psutil.Process(self._stack.process.pid)) if _has(process, word)]

    def kill(self, part: Part, *, forget: bool = False) -> int:
        """Kill a part with SIGKILL and return how many processes that were; `forget` what Redis wrote, too."""
        killed = self._signal(part, signal.SIGKILL)
        psutil.wait_procs(self.processes(part), timeout=1)
        if forget and part is Part.REDIS:
            shutil.rmtree(self._stack.state / "valkey", ignore_errors=True)
        return killed

    def freeze(self, part: Part) -> list[psutil.Process]:
        """Stop a part with SIGSTOP, as a machine that swaps or a virtual one that is moved; return what was stopped."""
        found = self.processes(part)
        self._signal(part, signal.SIGSTOP)
        return found

    def thaw(self, frozen: list[psutil.Process]) -> None:
        """Let go on what was frozen."""
        for process in frozen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    def _signal(self, part: Part, number: signal.Signals) -> int:
        count = 0
        for process in self.processes(part):
            with contextlib.suppress(psutil.NoSuchProcess):
                if part is Part.WORKER_GROUP and os.getpgid(process.pid) == process.pid:
                    os.killpg(process.pid, number)
                else:
                    process.send_signal(number)
                count += 1
        return count

    def start(self, part: Part) -> None:
        """Start PostgreSQL or Redis if it does not run; wait until a part of either kind is there again."""
        if part is Part.POSTGRES:
            EmbeddedPostgres(self._stack.state).ensure()
        elif part is Part.REDIS:
            EmbeddedValkey(self._stack.state).ensure()
        wait_for(f"{part} to be there again", lambda: self.processes(part), 120)


def _process_of(pid: int | None) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        if pid and (process := psutil.Process(pid)).status() != psutil.STATUS_ZOMBIE:
            return [process]
    return []


def _children(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [child for child in process.children() if child.status() != psutil.STATUS_ZOMBIE]
    return []


def _has(process: psutil.Process, word: str) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return word in process.cmdline()
    return False


def leftovers(state: Path) -> list[str]:
    """Return the command lines of processes that still work for a state directory."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("STATE_DIR") == str(state) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return found
