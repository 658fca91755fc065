"""Good files among hostile ones, through the whole product: they all get ready, at most twice as late."""

from __future__ import annotations

import time
from collections.abc import Sequence
from io import BytesIO

import httpx
import pytest

from tests.abuse import hostile_samples
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

GOOD = 24
SLACK_SECONDS = 3.0
"""What starting fork servers and a busy machine may add; the bound itself is twofold."""


def test_good_files_among_hostile_ones_are_at_most_twice_as_late(stack: Stack) -> None:
    """Every hostile sample stands in the queue before or between the good files, one for each of them."""
    hostile = [(sample.name, sample.content) for sample in hostile_samples.all_samples("/etc/hostname")]
    client = stack.client("warming")
    seconds_until_ready(client, good_files("warming", 4))
    alone = seconds_until_ready(stack.client("alone"), good_files("alone", GOOD))
    mixed = stack.client("mixed")
    among = seconds_until_ready(mixed, interleaved(hostile[:GOOD], good_files("mixed", GOOD)))
    assert among <= 2 * alone + SLACK_SECONDS
    wait_for("hostile files to end", lambda: not counts_of(mixed).keys() & {"queued", "processing"}, 120, 0.5)
    for file in mixed.get("/api/files", params={"page_size": 200}).json()["results"]:
        if file["status"] == "failed":
            error = mixed.get(f"/api/files/{file['id']}").json()["error"]
            assert error["code"] not in ("", "internal_error"), error
            assert error["message"].endswith("."), error


def good_files(salt: str, count: int) -> list[tuple[str, bytes]]:
    """Return text files of three paragraphs, each different."""
    text = "The harbour of {} number {} opens before sunrise. " * 8
    return [(f"good-{at}.txt", "\n\n".join([text.format(salt, at)] * 3).encode()) for at in range(count)]


def interleaved(first: Sequence[tuple[str, bytes]], second: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return one of each in turn."""
    return [each for pair in zip(first, second, strict=True) for each in pair]


def seconds_until_ready(client: httpx.Client, files: Sequence[tuple[str, bytes]]) -> float:
    """Upload `files` in this order; return the seconds from the last upload until every good one is ready."""
    ids = []
    for name, content in files:
        answer = client.post("/api/files/upload", files={"file": (name, BytesIO(content))})
        assert answer.status_code == 201, answer.text
        if name.startswith("good-"):
            ids.append(answer.json()["id"])
    began = time.monotonic()

    def all_ready() -> bool:
        listed = client.get("/api/files", params={"page_size": 200}).json()["results"]
        return {file["id"] for file in listed if file["status"] == "ready"} >= set(ids)

    wait_for("the good files to be ready", all_ready, 200, 0.1)
    return time.monotonic() - began


def counts_of(client: httpx.Client) -> dict[str, int]:
    """Return how many files are in which state; states without files are left out."""
    return {state: count for state, count in client.get("/api/files").json()["counts"].items() if count}
