"""What all parts take when they do nothing, and how long a start takes."""

from __future__ import annotations

import time

import pytest

from tests.benchmarks.memory import MB, processes_of, pss, settled
from tests.benchmarks.recording import record
from tests.stack import Stack, running_stack, wait_for

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(400)]


_WORDS = {"web": "orchestra.embedded.web", "worker": "worker", "beat": "beat"}


def test_idle_memory_and_second_start(load: float) -> None:
    """Measure an empty start, what rests in memory then and after the first file, and three starts more."""
    seconds = [_started(fresh=True, load=load), *(_started(fresh=False, load=load) for _ in range(3))]
    again = sorted(seconds[1:])
    figures = {"first start": seconds[0], "second start (median of 3)": again[1], "slowest of 3": again[2]}
    record("start", "seconds", dict(figures), load)


def _started(*, fresh: bool, load: float) -> float:
    """Return the seconds from the command to the printed address."""
    began = time.perf_counter()
    with running_stack("benchmark-start", fresh=fresh) as stack:
        seconds = time.perf_counter() - began
        if fresh:
            _record_memory(stack, "MB after the start", load)
            _use(stack)
            _record_memory(stack, "MB after the first file and search", load)
    return seconds


def _use(stack: Stack) -> None:
    client = stack.client("reader")
    client.post("/api/files/upload", files={"file": ("note.txt", b"The harbour opens before sunrise.")})
    wait_for("the file", lambda: client.get("/api/files").json()["counts"].get("ready") == 1)
    assert client.post("/api/search", json={"query": "when does the port open?"}).json()["hits"]


def _record_memory(stack: Stack, name: str, load: float) -> None:
    whole = settled(stack, 20) / MB
    parts = {part: sum(pss(each.pid) for each in stack.processes(word)) / MB for part, word in _WORDS.items()}
    rest = whole - sum(parts.values())
    record(
        "idle", name, {"all": whole, **parts, "servers and parent": rest, "processes": len(processes_of(stack))}, load
    )
