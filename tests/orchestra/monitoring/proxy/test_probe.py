"""The far end of `doctor --proxy`: it answers nobody without a token, and says truthfully how a request arrived."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref import testing
from django.core.cache import cache

from orchestra.monitoring.proxy.probe import PREFIX, SAMPLE, first_byte_came, open_probe
from tests.pace import within
from tests.sockets import HOST, OUR_ORIGIN, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_redis")]

Headers = tuple[tuple[bytes, bytes], ...]


class Request:
    """One HTTP request through the whole ASGI application, its body piece by piece."""

    def __init__(
        self, method: str, path: str, *headers: tuple[bytes, bytes], client: tuple[str, int] = ("10.0.0.9", 0)
    ) -> None:
        from orchestra.asgi import application

        communicator: Any = testing.ApplicationCommunicator  # untyped
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [HOST, *headers],
            "client": client,
            "scheme": "http",
            "http_version": "1.1",
        }
        self._wire = communicator(application, scope)

    async def send(self, body: bytes = b"", *, more: bool = False) -> None:
        """Send a piece of the body."""
        await self._wire.send_input({"type": "http.request", "body": body, "more_body": more})

    async def answer(self) -> tuple[int, bytes]:
        """Return status and body."""
        status = (await self._wire.receive_output(5))["status"]
        body = (await self._wire.receive_output(5))["body"]
        await self._wire.wait(within(5))
        return status, body


def asked(method: str, path: str, *headers: tuple[bytes, bytes], body: bytes = b"", **more: Any) -> tuple[int, bytes]:
    """Return the answer to a whole request."""
    found: list[tuple[int, bytes]] = []

    async def scenario() -> None:
        request = Request(method, path, *headers, **more)
        await request.send(body)
        found.append(await request.answer())

    run(scenario)
    return found[0]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("token", ["", "made-up", "../../x", "%00"])
def test_without_a_token_there_is_nothing(method: str, token: str) -> None:
    open_probe()
    status, body = asked(method, f"{PREFIX}{token}/arrival")
    assert (status, json.loads(body)["error"]["code"]) == (404, "not_found")


def test_a_token_is_good_for_a_while_only() -> None:
    path = f"{PREFIX}{open_probe()}/arrival"
    assert asked("GET", path)[0] == 200
    cache.clear()
    assert asked("GET", path)[0] == 404


def test_it_says_how_a_request_arrived() -> None:
    headers = ((b"x-forwarded-for", b"10.0.0.9"), (b"x-forwarded-proto", b"https"))
    _, body = asked("GET", f"{PREFIX}{open_probe()}/arrival", *headers)
    assert json.loads(body) == {
        "host": "testserver",
        "secure": False,  # nobody said that a proxy is to be believed
        "forwarded_proto": "https",
        "forwarded_for": "10.0.0.9",
        "client": "10.0.0.9",
        "believed": True,
    }


def test_https_is_what_the_believed_proxy_says(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    path = f"{PREFIX}{open_probe()}/arrival"
    assert json.loads(asked("GET", path, (b"x-forwarded-proto", b"https"))[1])["secure"] is True
    assert json.loads(asked("GET", path)[1])["secure"] is False


@pytest.mark.parametrize(
    ("client", "told", "believed"),
    [
        (("10.0.0.1", 41234), b"10.0.0.9", False),
        (("10.0.0.9", 0), b"10.0.0.9", True),
        (("10.0.0.9", 5555), b"10.0.0.9:5555", True),
    ],
)
def test_a_peer_with_a_port_is_the_proxy_and_not_its_client(
    client: tuple[str, int], told: bytes, believed: bool
) -> None:
    _, body = asked("GET", f"{PREFIX}{open_probe()}/arrival", (b"x-forwarded-for", told), client=client)
    assert json.loads(body)["believed"] is believed


def test_the_first_byte_is_told_before_the_last_one_came() -> None:
    token = open_probe()

    async def scenario() -> None:
        from asgiref.sync import sync_to_async

        request = Request("PUT", f"{PREFIX}{token}/stream")
        await request.send(b"a" * 10, more=True)
        for _ in range(500):
            if await sync_to_async(first_byte_came)(token, "stream"):
                break
        else:
            pytest.fail("the first byte was not told")
        assert not await sync_to_async(first_byte_came)(token, "another")
        await request.send(b"b" * 5)
        assert await request.answer() == (200, b'{"received": 15}')

    run(scenario)


def test_a_range_is_answered_with_that_part() -> None:
    path = f"{PREFIX}{open_probe()}/range"
    assert asked("GET", path, (b"range", b"bytes=100-299")) == (206, SAMPLE[100:300])
    assert asked("GET", path) == (200, SAMPLE)
    assert asked("GET", path, (b"range", b"bytes=-5")) == (200, SAMPLE)


@pytest.mark.parametrize(("made", "kind"), [(True, "websocket.accept"), (False, "websocket.close")])
def test_the_socket_says_back_what_it_hears_to_whoever_has_a_token(made: bool, kind: str) -> None:
    from orchestra.asgi import application

    token = open_probe() if made else "made-up"
    scope = {"type": "websocket", "path": f"/ws/probe/{token}", "query_string": b"", "headers": [HOST, OUR_ORIGIN]}

    async def scenario() -> None:
        communicator: Any = testing.ApplicationCommunicator  # untyped
        wire = communicator(application, {**scope, "subprotocols": []})
        await wire.send_input({"type": "websocket.connect"})
        assert (await wire.receive_output(5))["type"] == kind
        if made:
            await wire.send_input({"type": "websocket.receive", "text": "still here"})
            assert (await wire.receive_output(5))["text"] == "still here"
            await wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await wire.wait(within(5))

    run(scenario)
