"""Good files among hostile ones, through the whole product: they all get ready, at most twice as late."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from files.jobs import SHORT_FILE_BYTES
from tests.abuse import hostile_samples
from tests.abuse.queueing import measure_delay
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(420)]

SLACK_SECONDS = 3.0
"""What a busy machine may add; the bound itself is twofold."""
SAMPLES = list(hostile_samples.all_samples("/etc/hostname"))
LONG = {sample.name for sample in SAMPLES if sample.long or len(sample.content) > SHORT_FILE_BYTES}
"""What may have to wait for a worker of its own."""
UNDER_WAY = ("queued", "processing")


def test_good_files_among_hostile_ones_are_at_most_twice_as_late_as_among_good_ones(stack: Stack) -> None:
    delay, client = measure_delay(stack)
    assert delay.among_hostile <= 2 * delay.among_good + SLACK_SECONDS
    wait_for("hostile files to end", lambda: {file["name"] for file in _open(client)} <= LONG, 180, 0.5)
    for file in _files(client):
        if file["status"] == "failed":
            assert file["error"]["code"] not in ("", "internal_error"), file
            assert file["error"]["message"].endswith("."), file
    for file in _open(client):  # megabytes of symbols, which take their time as any book does
        client.post(f"/api/files/{file['id']}/cancel")
    wait_for("the rest to stop", lambda: not _open(client), 30, 0.5)


def _files(client: httpx.Client) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.get("/api/files", params={"page_size": 200}).json()["results"]
    return listed


def _open(client: httpx.Client) -> list[dict[str, Any]]:
    return [file for file in _files(client) if file["status"] in UNDER_WAY]
