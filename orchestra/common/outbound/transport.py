"""How a connection to another machine is made: one lookup, every address checked, connected to what was checked.

The name stays in the Host header and in TLS, so certificates are checked against it. Loads httpx: only
`orchestra.common.outbound.client` imports this module, when it is first used.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from ipaddress import ip_address
from math import inf
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

import httpcore
import httpx

from orchestra.common.outbound.addresses import Place, may_be_asked
from orchestra.common.outbound.errors import OutboundRefused

_PIECE = 64 * 1024
_MOST_ADDRESSES = 8
_CONNECT_SECONDS = 10.0
_KEPT_SECONDS = 15.0
Places = Callable[[], tuple[Place, ...]]


class Deadline(float):
    """A time-out for a whole exchange: the number is what was given, `left` what is left of it.

    httpcore hands time-outs on to the stream as they are, and asks it again for each read: a plain number would let a
    server that sends a byte now and then hold its caller for ever. `silence` bounds the time from one `heard` to the
    next besides.
    """

    until: float
    silence: float
    _silent_until: float

    def __new__(cls, seconds: float, silence: float = inf) -> Deadline:
        """Begin to count."""
        made = super().__new__(cls, seconds)
        made.until, made.silence = monotonic() + seconds, silence
        made.heard()
        return made

    def heard(self) -> None:
        """Begin to count the silence anew."""
        self._silent_until = monotonic() + self.silence

    def left(self) -> float:
        """Return the seconds that are left. Raises TimeoutError where there are none."""
        left = min(self.until, self._silent_until) - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def extensions(self) -> dict[str, Any]:
        """Return what a request of httpx carries to httpcore."""
        return {"timeout": {"connect": self, "read": self, "write": self, "pool": max(self.until - monotonic(), 0.0)}}


class GuardedTransport(httpx.HTTPTransport):
    """httpx's transport over `_Backend`: HTTP/1.1, no proxy, nothing of the environment."""

    def __init__(self, places: Places | None) -> None:
        """Take what may be private; None: an administrator named the address, and it may lie anywhere."""
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # The parent has no argument for it; its own pool has opened nothing.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=64,
            max_keepalive_connections=16,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=_Backend(places),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, places: Places | None) -> None:
        self._places = places

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's addresses that answers. Raises OutboundRefused when one may not be asked.

        One is enough: who answers for a name with a public and a private address has something in mind.
        """
        with _as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
            found = _resolved(host, port, timeout)
        if self._places is not None:
            private = self._places()
            if not all(may_be_asked(host, port, ip_address(address[0]), private) for _, address in found):
                raise OutboundRefused("This address is not one that may be asked.")
        with _as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
            return _Stream(_connected(found, timeout))


class _Stream(httpcore.NetworkStream):
    """A connection whose every step counts against the same deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what is there next; b"" at the end."""
        with _as_httpcore(httpcore.ReadTimeout, httpcore.ReadError):
            self._sock.settimeout(_left(timeout))
            return self._sock.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        rest = memoryview(buffer)
        with _as_httpcore(httpcore.WriteTimeout, httpcore.WriteError):
            while rest:
                self._sock.settimeout(_left(timeout))
                rest = rest[self._sock.send(rest[:_PIECE]) :]

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the connection under TLS, with the certificate checked against the name."""
        try:
            with _as_httpcore(httpcore.ConnectTimeout, httpcore.ConnectError):
                self._sock.settimeout(_left(timeout))
                return _Stream(ssl_context.wrap_socket(self._sock, server_hostname=server_hostname))
        except httpcore.NetworkError:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        """Tell whether there is something to read, which on an idle connection is its end; all else is None."""
        return _is_readable(self._sock) if info == "is_readable" else None


def _is_readable(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(0))


def _left(timeout: float | None) -> float | None:
    return timeout.left() if isinstance(timeout, Deadline) else timeout


@contextmanager
def _as_httpcore(late: type[httpcore.TimeoutException], broken: type[httpcore.NetworkError]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as exc:
        raise late(str(exc)) from exc
    except (OSError, UnicodeError) as exc:  # UnicodeError: a name that no lookup takes
        raise broken(type(exc).__name__) from exc


def _resolved(host: str, port: int, timeout: float | None) -> list[tuple[int, tuple[Any, ...]]]:
    """Return families and addresses of a host, looked up once, in a thread: the resolver has no time-out of its own."""
    answers: SimpleQueue[list[tuple[int, tuple[Any, ...]]] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            answers.put([(family, address) for family, _, _, _, address in found[:_MOST_ADDRESSES]])
        except (OSError, UnicodeError, OutboundRefused) as exc:
            answers.put(exc)

    Thread(target=copy_context().run, args=(look_up,), name="lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=_left(timeout))
    except Empty as exc:
        raise TimeoutError from exc
    if isinstance(answer, Exception):
        raise answer
    return answer


def _connected(found: list[tuple[int, tuple[Any, ...]]], timeout: float | None) -> socket.socket:
    """Return a connection to the first that answers; each gets its share of the time. Raises OSError."""
    failed: OSError = OSError("no address")
    for tried, (family, address) in enumerate(found):
        left = _left(timeout)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(min(_CONNECT_SECONDS, (left or _CONNECT_SECONDS) / (len(found) - tried)))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as exc:
            sock.close()
            failed = exc
        except OutboundRefused:
            sock.close()
            raise
        else:
            return sock
    raise failed
