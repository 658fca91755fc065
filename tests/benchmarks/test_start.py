"""What all parts take when they do nothing, and how long a start takes."""

from __future__ import annotations

import time

import pytest

from tests.benchmarks.memory import MB, processes_of, pss, settled
from tests.benchmarks.recording import record
from tests.stack import Stack, running_stack

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(400)]


def _part(stack: Stack, word: str) -> float:
    return sum(pss(process.pid) for process in stack.processes(word)) / MB


def test_idle_memory_and_second_start(load: float) -> None:
    seconds = []
    for fresh in (True, False, False, False):
        began = time.perf_counter()
        with running_stack("benchmark", fresh=fresh) as stack:
            seconds.append(time.perf_counter() - began)
            if not fresh:
                continue
            whole = settled(stack, 20) / MB
            parts = {name: _part(stack, word) for name, word in _WORDS.items()}
            known = sum(parts.values())
            figures = {"all processes": whole, **parts, "servers and parent": whole - known}
            record("idle", "MB", {**figures, "processes": len(processes_of(stack))}, load)
    again = sorted(seconds[1:])
    record("start", "seconds", {"first start": seconds[0], "second start": again[1], "slowest of 3": again[2]}, load)


_WORDS = {"web": "orchestra.embedded.web", "worker": "worker", "beat": "beat"}
