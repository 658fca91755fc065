"""Death at an enumerated system call: `strace` sends SIGKILL at the N-th one, or makes it fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from tests.stack import ROOT, wait_for


def _strace() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed")
    return found


def traced(calls: str, action: str, number: int, command: list[str], environment: Mapping[str, str]) -> int:
    """Run a command that gets `action` (`signal=SIGKILL`, `error=EIO`) at the `number`-th of `calls`; return its end.

    `calls` as strace spells sets, such as `fsync,fdatasync,rename`. The end is negative for a signal.
    """
    inject = f"inject={calls}:{action}:when={number}"
    done = subprocess.run(
        [_strace(), "-f", "-qq", "-o", os.devnull, "-e", f"trace={calls}", "-e", inject, *command],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        timeout=300,
        check=False,
    )
    return done.returncode


def killed_at_call(calls: str, number: int, code: str, **environment: str) -> bool:
    """Run Python code that is killed at the `number`-th of `calls`; say whether it came so far."""
    end = traced(calls, "signal=SIGKILL", number, [sys.executable, "-c", code], {**os.environ, **environment})
    assert end in (0, -signal.SIGKILL, 128 + signal.SIGKILL), f"the code itself broke: {end}"
    return end != 0


@contextmanager
def struck(pid: int, calls: str, action: str, number: int) -> Iterator[subprocess.Popen[bytes]]:
    """Attach to a running process and its threads: it gets `action` at the `number`-th of `calls` from now on."""
    inject = f"inject={calls}:{action}:when={number}"
    tracer = subprocess.Popen(
        [_strace(), "-f", "-qq", "-o", os.devnull, "-p", str(pid), "-e", f"trace={calls}", "-e", inject],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("strace to hold the process", lambda: _is_traced(pid) or tracer.poll() is not None, 30, 0.02)
        assert tracer.poll() is None, "strace may not attach here"
        yield tracer
    finally:
        tracer.terminate()
        tracer.wait(30)


def _is_traced(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - a line of the kernel's, not a file
            return any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in status)
    except FileNotFoundError:
        return False
