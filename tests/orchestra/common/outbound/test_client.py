"""The one client: where it goes, how long, how much, and what it tells."""

from __future__ import annotations

import gzip
import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from orchestra.common.outbound import guard
from orchestra.common.outbound.client import Call, fetch, stream
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused, OutboundTooLong, OutboundTooSlow
from orchestra.common.outbound.ledger import watched
from tests.orchestra.common.outbound.answering import Server, answering, send
from tests.pace import within

KEY = "sk-very-secret"


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    with answering(lambda handler: send(handler, b"hello")) as running:
        settings.OUTBOUND_ALLOWED_PRIVATE = (f"127.0.0.1:{running.port}",)
        yield running


def call(server: Server, **more: Any) -> Call:
    return Call(**{"url": server.url(), "purpose": "a test", "seconds": 5.0, **more})


def test_an_answer_comes_back(server: Server) -> None:
    answer = fetch(call(server, method="POST", body=b"asked", headers={"X-Own": "one"}))
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"hello", "5")
    ((method, path, headers, body),) = server.asked
    assert (method, path, body) == ("POST", "/", b"asked")
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["content-length"] == "5"
    assert headers["accept-encoding"] == "identity"
    assert (headers["x-own"], headers["user-agent"]) == ("one", "Orchestra")
    assert "transfer-encoding" not in headers


def test_connections_are_used_again_and_one_that_ended_is_not(server: Server) -> None:
    ports: list[int] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        ports.append(handler.client_address[1])
        send(handler, b"x")
        handler.close_connection = len(ports) == 2

    server.answer = note
    for _ in range(2):
        fetch(call(server))
    time.sleep(0.1)
    fetch(call(server))
    assert ports[0] == ports[1] != ports[2]


def test_the_ledger_says_what_went_where_and_what_for(server: Server) -> None:
    with watched() as entries:
        fetch(call(server, method="POST", body=b"x" * 100_000))
    (entry,) = entries
    assert (entry.host, entry.purpose, entry.sent, entry.received, entry.refused) == (
        *("127.0.0.1", "a test", 100_000, 5, False),
    )
    assert 0 < entry.milliseconds < within(5000)


def test_a_refused_request_stands_in_the_ledger_and_sent_nothing(settings: Any, server: Server) -> None:
    settings.OUTBOUND_ALLOWED_PRIVATE = ()
    with watched() as entries, pytest.raises(OutboundRefused):
        fetch(call(server, method="POST", body=b"secret"))
    ((entry),) = entries
    assert (entry.refused, entry.sent, server.asked) == (True, 0, [])


def test_an_address_that_the_settings_name_may_be_private(settings: Any, server: Server) -> None:
    settings.OUTBOUND_ALLOWED_PRIVATE = ()
    assert fetch(call(server, by_setting=True)).status == 200
    with pytest.raises(OutboundRefused):  # not over the connection that was left open
        fetch(call(server))


def test_nothing_is_asked_inside_the_guard_not_even_over_an_open_connection(server: Server) -> None:
    fetch(call(server))
    with watched() as entries, guard.closed(), pytest.raises(OutboundRefused):
        fetch(call(server))
    assert len(server.asked) == 1
    assert [entry.refused for entry in entries] == [True]
    with guard.closed(allow_loopback=True):
        assert fetch(call(server)).status == 200


def test_neither_proxies_nor_netrc_of_the_environment_are_used(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login me password {KEY}\n")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert fetch(call(server)).status == 200
    assert "authorization" not in server.asked[0][2]


def test_cookies_of_one_answer_are_not_sent_with_another_request(server: Server) -> None:
    server.answer = lambda handler: send(handler, b"", Set_Cookie="session=alice")
    fetch(call(server))
    fetch(call(server))
    assert "cookie" not in server.asked[1][2]


def test_a_long_answer_is_cut_off(server: Server) -> None:
    server.answer = lambda handler: send(handler, b"x" * 5000)
    with watched() as entries, pytest.raises(OutboundTooLong):
        fetch(call(server, most_bytes=4999))
    assert entries[0].received >= 4999
    assert len(fetch(call(server, most_bytes=5000)).body) == 5000


def test_a_packed_answer_is_not_unpacked(server: Server) -> None:
    server.answer = lambda handler: send(handler, gzip.compress(b"x" * 10**7), Content_Encoding="gzip")
    with pytest.raises(OutboundTooLong):
        fetch(call(server))


def test_endless_headers_are_cut_off(server: Server) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    server.answer = endless
    with pytest.raises(OutboundFailed):
        fetch(call(server))


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n",
    ],
    ids=["silent", "head", "body", "continue"],
)
def test_the_time_limit_holds_for_the_whole_exchange(server: Server, start: bytes) -> None:
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        while start and not stop.wait(0.05):
            handler.wfile.write(b"x")
        stop.wait(5)
        handler.close_connection = True

    server.answer = drip
    began = time.monotonic()
    with pytest.raises(OutboundTooSlow):
        fetch(call(server, seconds=0.4))
    stop.set()
    assert 0.3 < time.monotonic() - began < within(10)


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"],
    ids=["silent", "head", "chunk"],
)
def test_who_is_silent_for_too_long_is_left(server: Server, start: bytes) -> None:
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        while start and not stop.wait(0.05):
            handler.wfile.write(b"x")  # which brings neither the head nor a piece of the body to its end
        stop.wait(5)
        handler.close_connection = True

    server.answer = drip
    began = time.monotonic()
    with pytest.raises(OutboundTooSlow):
        fetch(call(server, seconds=30, silence=0.4))
    stop.set()
    assert 0.3 < time.monotonic() - began < within(2)


def test_a_long_answer_whose_pieces_come_soon_is_no_silence(server: Server) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            time.sleep(0.1)
            handler.wfile.write(b"x")

    server.answer = drip
    assert fetch(call(server, seconds=30, silence=0.5)).body == b"x" * 8


def test_a_lookup_that_hangs_costs_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> list[object]:
        time.sleep(6)
        return []

    monkeypatch.setattr("socket.getaddrinfo", hang)
    began = time.monotonic()
    with pytest.raises(OutboundTooSlow):
        fetch(Call("http://slow.example.org/", "a test", seconds=0.3))
    assert time.monotonic() - began < within(5)


def test_a_server_that_takes_nothing_holds_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(OutboundTooSlow):
            fetch(Call(url, "a test", "POST", body=b"x" * 50_000_000, seconds=0.5, by_setting=True))
        assert time.monotonic() - began < within(20)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "does-not-exist.invalid", "x" * 64 + ".example.org"])
def test_a_server_that_is_not_there_is_told(host: str) -> None:
    with pytest.raises(OutboundFailed) as caught:
        fetch(Call(f"http://{host}/{KEY}", "a test", seconds=5, by_setting=True))
    assert KEY not in f"{caught.value} {caught.value.hint}"


def test_what_is_no_http_is_told(server: Server) -> None:
    def speak(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"220 mail.example.org ESMTP\r\n")
        handler.close_connection = True

    server.answer = speak
    with pytest.raises(OutboundFailed):
        fetch(call(server))


def test_leaving_the_block_ends_the_call(server: Server) -> None:
    ended = threading.Event()

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 1000)
        finally:
            ended.set()

    server.answer = endless
    with stream(call(server)) as answer:
        next(answer.pieces())
    assert ended.wait(within(5))


def test_an_error_of_the_callers_passes_as_it_is(server: Server) -> None:
    with pytest.raises(ValueError, match="mine"), stream(call(server)):
        raise ValueError("mine")


def test_a_header_cannot_bring_another_and_is_not_told(server: Server) -> None:
    with pytest.raises(OutboundRefused) as caught:
        fetch(call(server, headers={"Authorization": f"Bearer {KEY}\r\nX-Evil: 1"}))
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__
    assert KEY not in repr(call(server, headers={"Authorization": KEY}, body=KEY.encode()))
    assert server.asked == []


def test_a_fork_opens_its_own_connections(server: Server) -> None:
    fetch(call(server))
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if fetch(call(server)).status == 200 else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert fetch(call(server)).status == 200


class TestRedirects:
    """Followed only when asked for, and each is checked anew."""

    @pytest.fixture
    def redirecting(self, server: Server) -> Server:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            if handler.path == "/end":
                send(handler, b"the end")
            else:
                send(handler, b"", 302, Location=self.target)

        server.answer = answer
        self.target = "/end"
        return server

    def test_none_is_followed_unless_asked_for(self, redirecting: Server) -> None:
        assert fetch(call(redirecting)).status == 302

    def test_as_many_are_followed_as_asked_for(self, redirecting: Server) -> None:
        assert fetch(call(redirecting, redirects=1)).body == b"the end"
        self.target = "/again"
        assert fetch(call(redirecting, redirects=3)).status == 302
        assert len(redirecting.asked) == 2 + 4

    def test_a_body_is_never_sent_on(self, redirecting: Server) -> None:
        assert fetch(call(redirecting, redirects=3, method="POST", body=b"x")).status == 302

    def test_the_same_server_gets_the_headers_again(self, redirecting: Server) -> None:
        fetch(call(redirecting, redirects=1, headers={"Authorization": KEY}))
        assert redirecting.asked[1][2]["authorization"] == KEY

    def test_another_server_gets_none_of_them(self, redirecting: Server, settings: Any) -> None:
        with answering(lambda handler: send(handler, b"other")) as other:
            settings.OUTBOUND_ALLOWED_PRIVATE = ("127.0.0.1",)
            self.target = other.url()
            assert fetch(call(redirecting, redirects=1, headers={"Authorization": KEY})).body == b"other"
            assert "authorization" not in other.asked[0][2]

    def test_what_the_settings_allow_holds_for_their_own_address_alone(
        self, redirecting: Server, settings: Any
    ) -> None:
        settings.OUTBOUND_ALLOWED_PRIVATE = ()
        with answering(lambda handler: send(handler, b"inside")) as inside:
            self.target = inside.url()
            with pytest.raises(OutboundRefused):
                fetch(call(redirecting, redirects=1, by_setting=True))
            assert inside.asked == []

    @pytest.mark.parametrize(
        "target", ["file:///etc/passwd", "http://u:p@127.0.0.1/", "gopher://x", "http://[", "//169.254.169.254/latest"]
    )
    def test_no_redirect_leads_elsewhere(self, redirecting: Server, target: str) -> None:
        self.target = target
        with pytest.raises(OutboundRefused):
            fetch(call(redirecting, redirects=3))
