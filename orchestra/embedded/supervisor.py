"""Keep a set of programs running under one parent: print their lines, restart what dies or hangs, stop all in order.

Everything happens in one thread: the kernel's parent-death signal is tied to the thread that started a child, and lines
never mix. `step()` is one turn; the caller owns the loop and the signals.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestra.embedded.console import Console
from orchestra.embedded.errors import ProgramFailedError
from orchestra.embedded.run_record import TOKEN_VARIABLE, end_leftovers
from orchestra.embedded.watching import Watch

ATTACH = Path(__file__).with_name("attach.py")
READ_SIZE = 65536
LONGEST_LINE = 16384


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: absolute program and arguments, extra environment, open descriptors that it inherits.

    `pulse` is the file whose time is the program's sign of life; None: it shows none, and only its death is noticed.
    """

    name: str
    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    descriptors: tuple[int, ...] = ()
    pulse: Path | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """When a death is quick, how many quick ones in a row end everything, and the pauses, in seconds.

    A program that was killed from outside has not failed: it is started again, however often, after a longer pause.
    A program that shows no sign of life for `silence` is wedged; after a start it has `first_sign` on top.
    """

    quick: float = 10
    quick_deaths: int = 3
    backoff: float = 0.5
    longest_backoff: float = 10
    grace: float = 20
    silence: float = 60
    first_sign: float = 60


class Child:
    """One program and its current process."""

    def __init__(self, program: Program, directory: Path, token: str, policy: Policy) -> None:
        self.program = program
        self.quick_deaths = 0
        self.quick_failures = 0
        self.proven = False
        self.watch = Watch(program.pulse, policy.silence, policy.first_sign) if program.pulse else None
        self.restart_at: float | None = None
        self.recent: deque[str] = deque(maxlen=20)
        self._directory = directory
        self._token = token
        self._partial = b""
        self.start()

    def start(self) -> None:
        """Start the program in its own process group, tied to this thread's life."""
        self.restart_at = None
        self.started = time.monotonic()
        if self.watch:
            self.watch.begin()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(ATTACH), str(os.getpid()), *self.program.argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._directory,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **dict(self.program.environment), TOKEN_VARIABLE: self._token},
            start_new_session=True,
            pass_fds=self.program.descriptors,
        )

    def descriptor(self) -> int:
        """Return the pipe's end that carries the program's lines."""
        assert self.process.stdout is not None  # noqa: S101 - opened as a pipe above
        return self.process.stdout.fileno()

    def read(self) -> list[str] | None:
        """Return the lines that have come; None when the pipe ended."""
        data = os.read(self.descriptor(), READ_SIZE)
        *lines, self._partial = (self._partial + data).split(b"\n")
        if self._partial and (not data or len(self._partial) > LONGEST_LINE):
            lines, self._partial = [*lines, self._partial], b""
        texts = [line.decode(errors="replace").rstrip("\r") for line in lines]
        self.recent.extend(texts)
        return texts if data or texts else None

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to all processes of the program's group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


class Supervisor:
    """The one parent of a clone's programs."""

    def __init__(
        self,
        directory: Path,
        token: str,
        console: Console,
        policy: Policy | None = None,
        may_judge: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_judge` says whether the servers answer: a program that waits for one of them is not wedged."""
        self._may_judge = may_judge
        self._directory = directory
        self._token = token
        self._console = console
        self._policy = policy or Policy()
        self._selector = selectors.DefaultSelector()
        self._children: list[Child] = []

    def start(self, programs: Sequence[Program]) -> None:
        """Start all programs in the given order."""
        for program in programs:
            child = Child(program, self._directory, self._token, self._policy)
            self._children.append(child)
            self._selector.register(child.descriptor(), selectors.EVENT_READ, child)

    def step(self, timeout: float = 0.2) -> None:
        """Pass lines on, notice deaths and silence, restart what is due.

        Raises `ProgramFailedError` when a program that never ran well failed quickly too many times in a row.
        """
        self._pass_lines(timeout)
        for child in self._children:
            if child.restart_at is None and child.process.poll() is not None:
                self._handle_death(child)
            elif child.restart_at is None and child.watch and child.watch.is_silent():
                self._end_wedged(child, child.watch)
            elif child.restart_at is not None and time.monotonic() >= child.restart_at:
                child.start()
                self._selector.register(child.descriptor(), selectors.EVENT_READ, child)

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop the programs, last started first, within the policy's grace or until `hurry`; then kill what is left."""
        deadline = time.monotonic() + self._policy.grace
        for child in reversed(self._children):
            child.process.terminate()
        for child in reversed(self._children):
            self._wait_for(child, deadline, hurry)
            child.signal_group(signal.SIGKILL)
            child.process.wait()
        self._pass_lines(0)
        end_leftovers(self._token, grace=1)
        for key in list(self._selector.get_map().values()):
            self._forget_pipe(key.data)
        self._children.clear()

    def _wait_for(self, child: Child, deadline: float, hurry: Callable[[], bool]) -> None:
        while child.process.poll() is None:
            if hurry() or time.monotonic() > deadline:
                self._console.say(f"{child.program.name} did not stop in time and is killed.")
                return
            self._pass_lines(0.05)

    def _pass_lines(self, timeout: float) -> None:
        if not self._selector.get_map():
            time.sleep(timeout)
        for key, _ in self._selector.select(timeout):
            child: Child = key.data
            lines = child.read()
            if lines is None:
                self._forget_pipe(child)
            for line in lines or ():
                self._console.line(child.program.name, line)

    def _forget_pipe(self, child: Child) -> None:
        self._selector.unregister(child.descriptor())
        if child.process.stdout:
            child.process.stdout.close()

    def _end_wedged(self, child: Child, watch: Watch) -> None:
        """Kill a program that lives and does nothing; its restart follows as after any death."""
        if not self._may_judge():
            watch.forgive()
            return
        silence = self._policy.silence
        self._console.say(f"{child.program.name} has shown no sign of life for {silence:.0f} s and is killed.")
        child.signal_group(signal.SIGKILL)
        child.process.wait()

    def _handle_death(self, child: Child) -> None:
        """Clear what the dead program left, and set the time of its restart."""
        child.signal_group(signal.SIGKILL)  # a pool's workers outlive a killed leader and would compete with the next
        self._drain(child)
        lived = time.monotonic() - child.started
        child.proven = child.proven or lived >= self._policy.quick
        status = child.process.returncode
        child.quick_deaths = child.quick_deaths + 1 if lived < self._policy.quick else 0
        # Nobody kills himself with SIGKILL: somebody did, or the system that had no memory left. It may end.
        own = status != -signal.SIGKILL
        child.quick_failures = child.quick_failures + own if lived < self._policy.quick else 0
        how = _describe_end(status)
        # What has run well once is not broken: whatever kills it now may end, and then it must be there again.
        if child.quick_failures >= self._policy.quick_deaths and not child.proven:
            last = "\n".join(f"    {line}" for line in child.recent)
            raise ProgramFailedError(
                f"{child.program.name} {how}, {child.quick_failures} times in a row. Its last lines:\n{last}"
            )
        pause = min(self._policy.longest_backoff, self._policy.backoff * 2 ** max(child.quick_deaths - 1, 0))
        child.restart_at = time.monotonic() + pause
        self._console.say(f"{child.program.name} {how} after {lived:.0f} s; it restarts in {pause:.1f} s.")

    def _drain(self, child: Child) -> None:
        """Read a dead program's last lines; a grandchild may still hold the pipe, so wait for a short while only."""
        end = time.monotonic() + 0.5
        while child.process.stdout and not child.process.stdout.closed and time.monotonic() < end:
            self._pass_lines(0.05)
        if child.process.stdout and not child.process.stdout.closed:
            self._forget_pipe(child)


def _describe_end(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
