"""Nothing leaves the machine inside `closed()`, however it is tried."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from orchestra.common.outbound import guard
from orchestra.common.outbound.errors import OutboundRefused
from orchestra.common.outbound.ledger import watched
from tests.database import second_connection


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A listener on loopback. Whoever gets through to it broke the guard."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        yield listening


@contextmanager
def allowed(*addresses: guard.Address) -> Iterator[None]:
    """Leave some addresses open, as settings do."""
    before = set(guard._allowed)
    guard.allow(addresses)
    try:
        yield
    finally:
        guard._allowed.clear()
        guard._allowed.update(before)


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def nobody_came(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except TimeoutError:
        return True
    return False


def by_socket(port: int) -> None:
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", port))


def by_connect_ex(port: int) -> None:
    with socket.socket() as sock:
        sock.connect_ex(("127.0.0.1", port))


def by_name(port: int) -> None:
    with socket.socket() as sock:
        sock.connect(("localhost", port))


def by_create_connection(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=1).close()


def by_ipv6_socket(port: int) -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.connect(("::ffff:127.0.0.1", port))


def by_urllib(port: int) -> None:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)


def by_httpx(port: int) -> None:
    httpx.get(f"http://127.0.0.1:{port}/", timeout=1, trust_env=False)


def by_async_httpx(port: int) -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"http://127.0.0.1:{port}/", timeout=1)

    asyncio.run(ask())


def by_asyncio(port: int) -> None:
    asyncio.run(_open(port))


async def _open(port: int) -> None:
    _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1)
    writer.close()
    await writer.wait_closed()


def by_raw_loop_socket(port: int) -> None:
    async def connect() -> None:
        with socket.socket() as sock:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))

    asyncio.run(connect())


def by_asyncio_name(port: int) -> None:
    async def look_up() -> None:
        await asyncio.get_running_loop().getaddrinfo("canary.example.org", port)

    asyncio.run(look_up())


def by_task(port: int) -> None:
    async def start() -> None:
        await asyncio.create_task(_open(port))

    asyncio.run(start())


def by_to_thread(port: int) -> None:
    asyncio.run(asyncio.to_thread(by_socket, port))


def by_new_pool(port: int) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(by_socket, port).result()


def by_pool_inside_pool(port: int) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(by_new_pool, port).result()


def by_copied_context(port: int) -> None:
    _POOL.submit(copy_context().run, by_socket, port).result()


def by_thread(port: int) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            by_socket(port)
        except OutboundRefused as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for each in raised:
        raise each


def by_datagram(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"canary", ("127.0.0.1", port))


def by_message(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendmsg([b"canary"], [], 0, ("127.0.0.1", port))


def by_name_alone(port: int) -> None:
    with socket.socket() as sock:
        sock.connect(("canary.example.org", port))


def by_datagram_to_name(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"canary", 0, ("canary.example.org", port))


def by_connected_datagram(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        sock.send(b"canary")


def by_lookup(port: int) -> None:
    socket.getaddrinfo("canary.example.org", port)


def by_old_lookup(port: int) -> None:
    socket.gethostbyname("canary.example.org")


def by_older_lookup(port: int) -> None:
    socket.gethostbyname_ex("canary.example.org")


def by_reverse_lookup(port: int) -> None:
    socket.gethostbyaddr("192.0.2.1")


def by_name_of_address(port: int) -> None:
    socket.getnameinfo(("192.0.2.1", port), 0)


def by_curl(port: int) -> None:
    subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/"], check=False)


def by_shell(port: int) -> None:
    os.system(f"echo canary > /dev/tcp/127.0.0.1/{port}")


def by_spawn(port: int) -> None:
    os.posix_spawn(sys.executable, [sys.executable, "-c", "pass"], {})


def by_fork(port: int) -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


def by_exec(port: int) -> None:
    os.execv(sys.executable, [sys.executable, "-c", "pass"])


_POOL = ThreadPoolExecutor(1)
WAYS: list[Callable[[int], None]] = [
    *(by_socket, by_connect_ex, by_name, by_create_connection, by_ipv6_socket, by_urllib, by_httpx, by_async_httpx),
    *(by_asyncio, by_raw_loop_socket, by_asyncio_name, by_task, by_to_thread, by_new_pool, by_pool_inside_pool),
    *(by_copied_context, by_thread, by_datagram, by_message, by_connected_datagram, by_lookup, by_old_lookup),
    *(by_name_alone, by_datagram_to_name),
    *(by_older_lookup, by_reverse_lookup, by_name_of_address, by_curl, by_shell, by_spawn, by_fork, by_exec),
]


# Libraries leave a socket to the garbage collector when its connect raises something else than OSError.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_way_leads_out(way: Callable[[int], None], server: socket.socket) -> None:
    with watched() as entries, guard.closed(), pytest.raises((OutboundRefused, ExceptionGroup)) as caught:
        way(port_of(server))
    assert isinstance(_only(caught.value), OutboundRefused)
    gc.collect()
    assert nobody_came(server)
    assert entries
    assert all(entry.refused and not entry.sent and entry.host and entry.purpose for entry in entries)


@pytest.mark.parametrize("way", [by_socket, by_httpx, by_asyncio, by_thread, by_new_pool])
def test_the_same_ways_lead_out_before_and_after(way: Callable[[int], None], server: socket.socket) -> None:
    with guard.closed():
        pass
    answering = threading.Thread(target=_answer, args=(server,))
    answering.start()
    way(port_of(server))
    answering.join()
    assert not guard.is_closed()


def _only(error: BaseException) -> BaseException:
    return _only(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _answer(server: socket.socket) -> None:
    server.settimeout(5)
    taken, _ = server.accept()
    with taken:
        taken.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def test_other_requests_go_out_meanwhile(server: socket.socket) -> None:
    inside, finished = threading.Event(), threading.Event()

    def private() -> None:
        with guard.closed():
            inside.set()
            finished.wait(5)

    thread = threading.Thread(target=private)
    thread.start()
    inside.wait(5)
    by_socket(port_of(server))
    finished.set()
    thread.join()
    assert not nobody_came(server)


def test_a_thread_that_was_started_inside_is_free_when_the_block_has_ended(server: socket.socket) -> None:
    with ThreadPoolExecutor(1) as pool:
        with guard.closed():
            assert pool.submit(guard.is_closed).result()
        assert not pool.submit(guard.is_closed).result()
        pool.submit(by_socket, port_of(server)).result()


def test_unix_sockets_stay_open(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as sock:
        listening.bind(path)
        listening.listen()
        with guard.closed():
            sock.connect(path)


def test_exactly_the_named_addresses_stay_open(server: socket.socket) -> None:
    with allowed(("127.0.0.1", port_of(server))), guard.closed():
        by_create_connection(port_of(server))
        with pytest.raises(OutboundRefused):
            by_socket(port_of(server) + 1)
        with pytest.raises(OutboundRefused):
            by_datagram(port_of(server))


def test_a_named_host_may_be_looked_up_and_what_it_leads_to_connected_to(server: socket.socket) -> None:
    with allowed(("LOCALHOST.", port_of(server))), guard.closed():
        by_name(port_of(server))
        by_socket(port_of(server))
        with pytest.raises(OutboundRefused):
            by_socket(port_of(server) + 1)


def test_loopback_is_open_where_a_model_runs_there(server: socket.socket) -> None:
    with guard.closed(allow_loopback=True):
        by_socket(port_of(server))
        by_name(port_of(server))
        for refused in (by_datagram, by_lookup, by_curl, by_reverse_lookup):
            with pytest.raises(OutboundRefused):
                refused(port_of(server))
        with socket.socket() as sock, pytest.raises(OutboundRefused):
            sock.connect(("192.0.2.1", 80))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.1", "2130706433", "", "<broadcast>", "localhost.example.org"])
def test_what_is_not_plainly_loopback_is_none(host: str, server: socket.socket) -> None:
    with guard.closed(allow_loopback=True), socket.socket() as sock, pytest.raises(OutboundRefused):
        sock.connect((host, port_of(server)))


def test_a_block_inside_another_widens_nothing(server: socket.socket) -> None:
    with guard.closed(), guard.closed(allow_loopback=True), pytest.raises(OutboundRefused):
        by_socket(port_of(server))
    with guard.closed(allow_loopback=True):
        with guard.closed(), pytest.raises(OutboundRefused):
            by_socket(port_of(server))
        by_socket(port_of(server))


def test_the_block_ends_with_an_exception_too() -> None:
    with pytest.raises(ValueError, match="broken"), guard.closed():
        raise ValueError("broken")
    assert not guard.is_closed()


def test_libraries_that_the_hook_cannot_see_ask(server: socket.socket) -> None:
    guard.check("192.0.2.1", 80, "test")
    guard.refuse_inside("192.0.2.1", "test")
    with watched() as entries, guard.closed(allow_loopback=True):
        guard.check("127.0.0.1", 80, "test")
        with pytest.raises(OutboundRefused):
            guard.check("192.0.2.1", 80, "a model")
        with pytest.raises(OutboundRefused):
            guard.refuse_inside("127.0.0.1", "vectors")
    assert [(entry.host, entry.purpose) for entry in entries] == [("192.0.2.1", "a model"), ("127.0.0.1", "vectors")]


@pytest.mark.django_db
@pytest.mark.usefixtures("_redis")
def test_the_database_and_redis_are_reached_inside(settings: Any) -> None:
    with guard.closed():
        with second_connection() as other:
            assert other.execute("SELECT 1").fetchone() == (1,)
        with Redis.from_url(settings.REDIS_URL) as redis:
            assert redis.ping()


def test_other_code_that_is_watched_goes_on() -> None:
    with guard.closed():
        assert Path(__file__).read_text("utf-8")
        compile("1", "code", "eval")
        for end in socket.socketpair():
            end.close()
