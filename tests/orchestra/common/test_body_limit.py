"""Bodies that are too large are refused whatever Content-Length says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from orchestra.common.body_limit import BodyLimit

LIMIT = 1000


def serve(pieces: list[bytes], *headers: tuple[bytes, bytes], reads: bool = True) -> tuple[int, dict[str, Any], int]:
    """Return status, body, and how many bytes the application saw."""
    seen = 0

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal seen
        more = reads
        while more:
            event = await receive()
            seen += len(event.get("body", b""))
            more = event.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    queue = [
        {"type": "http.request", "body": piece, "more_body": n + 1 < len(pieces)} for n, piece in enumerate(pieces)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return queue.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope: Any = {"type": "http", "headers": list(headers)}
    asyncio.run(BodyLimit(application, LIMIT)(scope, receive, send))  # type: ignore[arg-type]  # plain dicts
    starts = [message for message in sent if message["type"] == "http.response.start"]
    assert len(starts) == 1, "one answer"
    return starts[0]["status"], json.loads(sent[-1]["body"]), seen


@pytest.mark.parametrize("size", [0, 1, LIMIT])
def test_bodies_up_to_the_limit_pass(size: int) -> None:
    assert serve([b"x" * size], (b"content-length", str(size).encode()))[0] == 200
    assert serve([b"x" * size])[0] == 200, "no Content-Length: chunked"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"1001")],
        [(b"content-length", b"9" * 30)],
        [(b"content-length", b"9" * 10_000)],
        [(b"content-length", b"5"), (b"content-length", b"100000")],
        [(b"content-length", b"100000"), (b"content-length", b"5")],
    ],
)
def test_declared_too_large_is_refused_before_a_byte_is_read(headers: list[tuple[bytes, bytes]]) -> None:
    status, body, seen = serve([b"x" * 100] * 20, *headers)
    assert (status, seen) == (413, 0)
    assert body["error"]["code"] == "request_too_large"
    assert set(body["error"]) == {"code", "message", "hint", "details"}


@pytest.mark.parametrize("declared", [b"-1", b"abc", b"", b"1e3", b"+5", b" 5", "٥".encode()])
def test_a_length_that_is_no_number_is_a_bad_request(declared: bytes) -> None:
    status, body, seen = serve([b"x"], (b"content-length", declared))
    assert (status, seen) == (400, 0)
    assert set(body["error"]) == {"code", "message", "hint", "details"}


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"5")], [(b"transfer-encoding", b"chunked")]])
def test_lying_or_missing_length_is_found_out_while_reading(headers: list[tuple[bytes, bytes]]) -> None:
    status, _, seen = serve([b"x" * 400] * 50, *headers)
    assert status == 413
    assert seen <= LIMIT


def test_sockets_pass_through() -> None:
    passed = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["type"])

    asyncio.run(BodyLimit(application, 1)({"type": "websocket"}, None, None))  # type: ignore[arg-type]
    assert passed == ["websocket"]
