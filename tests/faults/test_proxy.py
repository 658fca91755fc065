"""The proxy does what it is told: otherwise the tests behind it would prove nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.proxy import FAIR, Proxy, Weather, proxy_before
from tests.pace import within


class Echo:
    """A server that sends back what it gets, and notes how much that was once the client has ended."""

    def __init__(self, family: int, address: str | tuple[str, int]) -> None:
        self.sock = socket.socket(family)
        self.sock.bind(address)
        self.sock.listen()
        self.ended: list[int] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        count = 0
        with connection:
            try:
                while piece := connection.recv(65536):
                    count += len(piece)
                    connection.sendall(piece)
            except OSError:
                pass
            self.ended.append(count)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo(socket.AF_INET, ("127.0.0.1", 0))
    yield server
    server.sock.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with proxy_before(echo.sock.getsockname()) as opened:
        yield opened


def _connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def _asked(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text)
    got = b""
    while len(got) < len(text):
        piece = client.recv(65536)
        if not piece:
            break
        got += piece
    return got


def test_in_fair_weather_all_bytes_pass(proxy: Proxy) -> None:
    text = bytes(range(256)) * 4096
    with _connect(proxy) as client:
        threading.Thread(target=client.sendall, args=(text,), daemon=True).start()
        got = b""
        while len(got) < len(text):
            got += client.recv(65536)
    assert got == text


def test_a_unix_socket_can_be_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "s"
    Echo(socket.AF_UNIX, str(path))
    with proxy_before(path) as proxy, _connect(proxy) as client:
        assert _asked(client, b"hello") == b"hello"


def test_a_cut_resets_what_is_open_and_lets_the_next_one_through(proxy: Proxy) -> None:
    with _connect(proxy) as client:
        assert _asked(client, b"a") == b"a"
        proxy.cut()
        with pytest.raises(ConnectionError):
            client.recv(1)
    with _connect(proxy) as client:
        assert _asked(client, b"b") == b"b"


def test_a_cut_at_a_byte_lets_so_many_through(proxy: Proxy, echo: Echo) -> None:
    proxy.weather = Weather(cut_up_after=3)
    with _connect(proxy) as client, pytest.raises(ConnectionError):
        _asked(client, b"abcdef")
    until = time.monotonic() + within(10)
    while not echo.ended and time.monotonic() < until:
        time.sleep(0.01)
    assert echo.ended
    assert echo.ended[0] <= 3


def test_frozen_means_silent_and_thawed_means_late(proxy: Proxy) -> None:
    with _connect(proxy) as client:
        proxy.weather = Weather(frozen=True)
        client.sendall(b"x")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        proxy.weather = FAIR
        client.settimeout(10)
        assert client.recv(1) == b"x"


def test_a_half_closed_line_still_answers(proxy: Proxy, echo: Echo) -> None:
    proxy.weather = Weather(half_close_after=3)
    with _connect(proxy) as client:
        client.sendall(b"abcdef")
        assert client.recv(10) == b"abc"
        assert client.recv(10) == b""
    assert echo.ended == [3]


def test_delay_and_rate_take_their_time(proxy: Proxy) -> None:
    with _connect(proxy) as client:
        proxy.weather = Weather(delay=0.1)
        began = time.monotonic()
        _asked(client, b"x")
        assert time.monotonic() - began >= 0.2  # there and back
        proxy.weather = Weather(rate=100)
        began = time.monotonic()
        _asked(client, b"y" * 20)
        assert time.monotonic() - began >= 0.2
