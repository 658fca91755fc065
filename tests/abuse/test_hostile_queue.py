"""Good files among hostile ones, through the whole product: they all get ready, at most twice as late."""

from __future__ import annotations

import pytest

from tests.abuse.queueing import counts_of, measure_delay
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

SLACK_SECONDS = 3.0
"""What a busy machine may add; the bound itself is twofold."""


def test_good_files_among_hostile_ones_are_at_most_twice_as_late_as_among_good_ones(stack: Stack) -> None:
    delay, client = measure_delay(stack)
    assert delay.among_hostile <= 2 * delay.among_good + SLACK_SECONDS
    wait_for("hostile files to end", lambda: not counts_of(client).keys() & {"queued", "processing"}, 120, 0.5)
    for file in client.get("/api/files", params={"page_size": 200}).json()["results"]:
        if file["status"] == "failed":
            error = client.get(f"/api/files/{file['id']}").json()["error"]
            assert error["code"] not in ("", "internal_error"), error
            assert error["message"].endswith("."), error
