"""Queues of good files, with hostile ones among them or without, and how long the good ones take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import httpx

from tests.abuse import hostile_samples
from tests.stack import Stack, wait_for


@dataclass(frozen=True)
class Delay:
    """Seconds until `files` good files are ready, among as many other good ones and among as many hostile ones."""

    files: int
    among_good: float
    among_hostile: float


def measure_delay(stack: Stack) -> tuple[Delay, httpx.Client]:
    """Put a queue of good files and one of good and hostile files in turn through the product."""
    samples = hostile_samples.all_samples("/etc/hostname")
    hostile = [(sample.name, sample.content) for sample in samples]
    count = len(hostile)
    seconds_until_ready(stack.client("warming"), good_files("warming", 4))
    others = [(f"other-{name}", content) for name, content in good_files("others", count)]
    among_good = seconds_until_ready(stack.client("calm"), interleaved(others, good_files("calm", count)))
    mixed = stack.client("mixed")
    among_hostile = seconds_until_ready(mixed, interleaved(hostile, good_files("mixed", count)))
    return Delay(count, among_good, among_hostile), mixed


def good_files(salt: str, count: int) -> list[tuple[str, bytes]]:
    """Return text files of three paragraphs, each different."""
    text = "The harbour of {0} number {1} opens before sunrise. " * 8
    return [(f"good-{at}.txt", "\n\n".join([text.format(salt, at)] * 3).encode()) for at in range(count)]


def interleaved(first: Sequence[tuple[str, bytes]], second: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return one of each in turn."""
    return [each for pair in zip(first, second, strict=True) for each in pair]


def seconds_until_ready(client: httpx.Client, files: Sequence[tuple[str, bytes]]) -> float:
    """Upload `files` in this order; return the seconds from the first upload until every good one is ready."""
    ids, began = [], time.monotonic()
    for name, content in files:
        answer = client.post("/api/files/upload", files={"file": (name, BytesIO(content))})
        assert answer.status_code == 201, answer.text
        if name.startswith("good-"):
            ids.append(answer.json()["id"])

    def all_ready() -> bool:
        listed = client.get("/api/files", params={"page_size": 200}).json()["results"]
        return {file["id"] for file in listed if file["status"] == "ready"} >= set(ids)

    wait_for("the good files to be ready", all_ready, 200, 0.1)
    return time.monotonic() - began
