"""What the product's processes take: proportional set size, in which shared pages are counted once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from orchestra.embedded.postgres import EmbeddedPostgres
from tests.stack import Stack

MB = 1024**2


def processes_of(stack: Stack) -> list[psutil.Process]:
    """Return every process of a running product: parent, web, worker, beat, readers, and both servers."""
    tops = [stack.process.pid]
    postmaster = EmbeddedPostgres(stack.state).data / "postmaster.pid"
    tops.append(int(postmaster.read_text().splitlines()[0]))
    tops.append(int(stack.redis().info("server")["process_id"]))
    found: list[psutil.Process] = []
    for pid in tops:
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(pid)
            found += [top, *top.children(recursive=True)]
    return found


def pss(pid: int) -> int:
    """Return a process's proportional set size in bytes; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


class Sampler:
    """Watches processes from a thread: the peak of their sum and of the largest one, in bytes."""

    def __init__(self, processes: Callable[[], Iterable[psutil.Process]], every: float = 0.5) -> None:
        self._processes = processes
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.first = self.total = self.largest = 0

    def __enter__(self) -> Self:
        self._sample()
        self.first = self.total
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._sample()

    @property
    def growth(self) -> int:
        """By how much the sum grew over what it was at the beginning."""
        return self.total - self.first

    def _watch(self) -> None:
        while not self._done.wait(self._every):
            self._sample()

    def _sample(self) -> None:
        sizes = [pss(process.pid) for process in self._processes()]
        self.total = max(self.total, sum(sizes))
        self.largest = max(self.largest, *sizes, 0)


def settled(stack: Stack, seconds: float = 5) -> int:
    """Return the sum over all processes after `seconds` without work."""
    time.sleep(seconds)
    return sum(pss(process.pid) for process in processes_of(stack))
