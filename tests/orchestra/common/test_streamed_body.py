"""Bodies that are read while they come: by which requests, in which thread, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse
from django.urls import path

from orchestra.common.body_limit import BodyLimit
from orchestra.common.streamed_body import BodyCut, StreamedBody, body_of, is_streamed
from orchestra.handler import ThreadHandler

TYPE = (b"content-type", b"application/offset+octet-stream")


def scope_of(path_: str = "/tus/x", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "PATCH",
        "path": path_,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (scope_of("/tus/x", TYPE), True),
        (scope_of("/tus/x", (TYPE[0], b"Application/Offset+octet-stream; a=b")), True),
        (scope_of("/prefix/tus/x", TYPE) | {"root_path": "/prefix"}, True),
        (scope_of("/tus/x"), False),
        (scope_of("/tus/x", (TYPE[0], b"text/plain")), False),
        (scope_of("/tus/x", TYPE, TYPE), False),
        (scope_of("/api/files", TYPE), False),
        (scope_of("/tus/x", TYPE) | {"type": "websocket"}, False),
    ],
)
def test_only_bytes_of_uploads_under_tus_are_streamed(scope: dict[str, Any], expected: bool) -> None:
    assert is_streamed(scope) is expected


def in_a_thread(events: list[dict[str, Any]], act: Callable[[StreamedBody], Any]) -> Any:
    """Run `act` beside an event loop that brings `events`, and then nothing any more."""

    async def run() -> Any:
        async def receive() -> Any:
            if not events:
                await asyncio.Event().wait()
            return events.pop(0)

        return await read_beside(receive, act)

    return asyncio.run(run())


async def read_beside(receive: Any, act: Callable[[StreamedBody], Any]) -> Any:
    """Run `act` in a thread while the body is filled."""
    body = StreamedBody(receive)
    filling = asyncio.create_task(body.fill())
    try:
        return await asyncio.to_thread(act, body)
    finally:
        filling.cancel()


def part(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_bytes_are_read_as_they_come_until_the_end() -> None:
    def act(body: StreamedBody) -> list[bytes]:
        return [body.read(4), body.read(4), body.read(99), body.read(99), body.read(99)]

    events = [part(b"abcdef"), part(b""), part(b"gh", more=False)]
    came = in_a_thread(events, act)
    assert b"".join(came) == b"abcdefgh"
    assert max(map(len, came[:2])) <= 4
    assert came[-1] == b""


def test_waiting_has_an_end_and_loses_nothing() -> None:
    def act(body: StreamedBody) -> bytes:
        assert body.read(9, 5) == b"early"
        with pytest.raises(TimeoutError):
            body.read(9, 0.01)
        late.append(part(b"late"))
        return body.read(9, 5)

    late: list[dict[str, Any]] = []

    async def run() -> bytes:
        first = [part(b"early")]

        async def receive() -> Any:
            while not (first or late):
                await asyncio.sleep(0.001)
            return (first or late).pop(0)

        return await read_beside(receive, act)  # type: ignore[no-any-return]  # what `act` returns

    assert asyncio.run(run()) == b"late"


def test_a_client_that_goes_away_is_an_error_again_and_again() -> None:
    def act(body: StreamedBody) -> bytes:
        data = body.read(9)
        for _ in range(2):
            with pytest.raises(BodyCut):
                body.read(9)
        return data

    assert in_a_thread([part(b"half"), {"type": "http.disconnect"}], act) == b"half"


def test_what_came_before_the_line_broke_is_read_first() -> None:
    """The server forgets what nobody took of it when the line breaks; so it is taken before the reader asks."""

    async def run() -> None:
        events = [part(b"before "), part(b"the cut"), {"type": "http.disconnect"}]

        async def receive() -> Any:
            return events.pop(0)

        body = StreamedBody(receive)
        await body.fill()
        assert await asyncio.to_thread(body.read, 99) == b"before the cut"
        with pytest.raises(BodyCut):
            await asyncio.to_thread(body.read, 99)

    asyncio.run(run())


def test_no_more_is_taken_than_the_reader_will_soon_read() -> None:
    async def run() -> None:
        taken: list[int] = []

        async def receive() -> Any:
            taken.append(len(taken))
            return part(bytes(100_000))

        body = StreamedBody(receive)
        filling = asyncio.create_task(body.fill())
        await asyncio.wait([filling], timeout=0.2)
        assert len(taken) == 3
        assert await asyncio.to_thread(body.read, 200_000) == bytes(200_000)
        await asyncio.wait([filling], timeout=0.2)
        assert len(taken) == 5
        filling.cancel()

    asyncio.run(run())


def test_who_asks_before_sending_is_not_told_to_go_on_by_a_body_that_nobody_reads() -> None:
    async def run() -> None:
        asked: list[str] = []

        async def receive() -> Any:
            asked.append("go on")
            return part(b"then", more=False)

        body = StreamedBody(receive, eager=False)
        filling = asyncio.create_task(body.fill())
        await asyncio.wait([filling], timeout=0.1)
        assert asked == []
        assert await asyncio.to_thread(body.read, 9) == b"then"
        await filling

    asyncio.run(run())


def test_a_server_that_stops_wakes_the_reader() -> None:
    async def run() -> None:
        async def receive() -> Any:
            await asyncio.Event().wait()

        body = StreamedBody(receive)
        reading = asyncio.create_task(asyncio.to_thread(body.read, 9))
        await asyncio.wait([reading], timeout=0.1)
        assert not reading.done()
        body.cut()
        with pytest.raises(BodyCut):
            await reading

    asyncio.run(run())


def read_three(request: HttpRequest) -> HttpResponse:
    body = body_of(request)
    return HttpResponse(b"+".join(body.read(3) for _ in range(3)))


def refuse(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=409)


urlpatterns = [path("tus/x", read_three), path("tus/refused", refuse)]


async def _serve(scope: dict[str, Any], events: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    application = BodyLimit(ThreadHandler(), 5)
    communicator: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]  # as it comes
    for event in events:
        await communicator.send_input(event)
    answer = await communicator.receive_output(10), await communicator.receive_output(10)
    await communicator.wait(10)
    return answer


@pytest.fixture
def plain(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []


def test_a_view_reads_what_comes_and_no_limit_stops_it(plain: None) -> None:
    events = [part(b"abc"), part(b"def"), part(b"ghi", more=False)]
    start, body = asyncio.run(_serve(scope_of("/tus/x", TYPE), events))
    assert (start["status"], body["body"]) == (200, b"abc+def+ghi")
    assert b"Connection" not in dict(start["headers"])


def test_the_same_view_reads_a_spooled_body(plain: None) -> None:
    start, body = asyncio.run(_serve(scope_of("/tus/x"), [part(b"abc", more=False)]))
    assert (start["status"], body["body"]) == (200, b"abc++")


def test_a_refused_body_is_drained_when_it_is_short(plain: None) -> None:
    start, _ = asyncio.run(_serve(scope_of("/tus/refused", TYPE), [part(b"abc"), part(b"d", more=False)]))
    assert start["status"] == 409
    assert b"Connection" not in dict(start["headers"])


def test_a_refused_body_that_goes_on_closes_the_connection(plain: None) -> None:
    for more in ((b"expect", b"100-continue"), (b"x-any", b"thing")):
        start, _ = asyncio.run(_serve(scope_of("/tus/refused", TYPE, more), [part(b"abc" * 2**20)]))
        assert start["status"] == 409
        assert dict(start["headers"])[b"Connection"] == b"close"
