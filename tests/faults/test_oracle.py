"""The oracle sees each kind of loss: a fake client tells of a product that has lost, doubled or kept something."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.client import Acknowledged, Log
from tests.faults.oracle import Verdict, await_end, compare

WHOLE = {"sha256": "a", "size": 3, "status": "ready", "error": None}


class FakeClient:
    """Has one acknowledged file, `a`, and shows what the test says."""

    def __init__(self, **shown: dict[str, Any]) -> None:
        self.log = Log(attempted={"a"}, complete={"a": Acknowledged("file", "a", 3)})
        self.shown = shown
        self.downloaded = "a"

    def files(self) -> dict[str, dict[str, Any]]:
        return self.shown

    def digest_of_download(self, file_id: str) -> str:
        return self.downloaded


def judged(client: FakeClient) -> dict[str, int]:
    """Return how many problems of each kind are told."""
    verdict = Verdict()
    compare(client, verdict, 10)  # type: ignore[arg-type]  # a fake with what is asked for
    kinds = ("lost", "wrong_digests", "unexpected")
    return {kind: len(getattr(verdict, kind)) for kind in kinds if getattr(verdict, kind)}


def test_a_whole_file_is_no_problem() -> None:
    assert judged(FakeClient(file=WHOLE)) == {}


def test_an_acknowledged_file_that_is_not_there_is_lost() -> None:
    assert judged(FakeClient()) == {"lost": 1}


def test_an_acknowledged_chunk_that_is_not_there_is_lost() -> None:
    client = FakeClient(file=WHOLE)
    client.log.problems.append("bytes 0 to 9 are gone")
    assert judged(client) == {"lost": 1}


def test_other_bytes_are_told() -> None:
    assert judged(FakeClient(file={**WHOLE, "size": 4})) == {"wrong_digests": 1}
    client = FakeClient(file=WHOLE)
    client.downloaded = "b"
    assert judged(client) == {"wrong_digests": 1}


def test_what_nobody_sent_is_told() -> None:
    assert judged(FakeClient(file=WHOLE, other={**WHOLE, "sha256": ""})) == {}
    client = FakeClient(file=WHOLE, other={**WHOLE, "sha256": "b"})
    client.downloaded = "a"
    assert judged(client) == {"unexpected": 1, "wrong_digests": 1}


def test_what_was_deleted_and_is_there_is_told() -> None:
    client = FakeClient(file=WHOLE)
    client.log.deleted.add("file")
    assert judged(client) == {"unexpected": 1}


def test_a_failure_needs_a_reason() -> None:
    reason = {"code": "worker_lost", "message": "The worker was lost."}
    assert judged(FakeClient(file={**WHOLE, "status": "failed", "error": reason})) == {}
    assert judged(FakeClient(file={**WHOLE, "status": "failed"})) == {"unexpected": 1}


@pytest.mark.parametrize("status", ["uploading", "queued", "processing"])
def test_what_does_not_end_is_stuck(status: str) -> None:
    client: Any = FakeClient(file={**WHOLE, "status": status})
    assert await_end([client], 0.1) == [f"file is still {status}"]
    client.shown = {"file": WHOLE}
    assert await_end([client], 5) == []
