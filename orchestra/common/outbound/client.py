"""The one client for other machines: every request of the product's goes through `stream` or `fetch`.

No proxy, netrc or cookie; nothing packed; no redirect unless asked for, and each then checked like the first address.
The time limit holds for the whole exchange, from the lookup to the last byte. What is asked and what comes back is
hostile: callers check the answer's shape, this module its size and its time. Each request enters the ledger.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from django.conf import settings

from orchestra.common.outbound import guard, ledger
from orchestra.common.outbound.addresses import places
from orchestra.common.outbound.errors import (
    OutboundFailed,
    OutboundRefused,
    OutboundTooLong,
    OutboundTooSlow,
)

if TYPE_CHECKING:
    import httpx

    from orchestra.common.outbound.transport import Deadline, GuardedTransport

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORTS = range(1, 65536)
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}", re.IGNORECASE)
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {"User-Agent": "Orchestra", "Accept": "*/*", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request to another machine.

    `seconds` and `most_bytes` bound the whole exchange and the answer's body; `silence` is how many seconds may pass
    before the answer's head is there, and before each piece of its body. `by_setting`: an administrator named this
    address in the settings, so it may be private. `redirects`: how many are followed, of GET and HEAD alone; to another
    server goes no header of the caller's.
    """

    url: str
    purpose: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    seconds: float = 30.0
    most_bytes: int = 8 * 1024**2
    by_setting: bool = False
    redirects: int = 0
    silence: float = inf


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class StreamedAnswer:
    """What comes back, while it comes. `received` counts the body's bytes."""

    def __init__(self, response: httpx.Response, most_bytes: int, deadline: Deadline) -> None:
        """Take an answer whose body was not read yet."""
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.received = 0
        self._response = response
        self._most = most_bytes
        self._deadline = deadline

    def pieces(self) -> Iterator[bytes]:
        """Yield the body. Raises OutboundFailed or what is below it."""
        if self.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise OutboundTooLong("The other machine sent a packed answer, which was not asked for.")
        with _errors():
            self._deadline.heard()
            for piece in self._response.iter_raw():
                self.received += len(piece)
                if self.received > self._most:
                    raise OutboundTooLong
                yield piece
                self._deadline.heard()  # what the caller did meanwhile was no silence


def fetch(call: Call) -> Answer:
    """Return the whole answer. Raises OutboundRefused, or OutboundFailed or what is below it."""
    with stream(call) as answer:
        return Answer(answer.status, answer.headers, b"".join(answer.pieces()))


@contextmanager
def stream(call: Call) -> Iterator[StreamedAnswer]:
    """Yield the answer as soon as its head is there; leaving the block ends the call. Raises as `fetch` does."""
    from orchestra.common.outbound.transport import Deadline

    deadline = Deadline(call.seconds, call.silence)
    while True:
        with _exchange(call, deadline) as answer:
            following = _redirected(call, answer)
            if following is None:
                yield answer
                return
        call = following


def host_of(url: str) -> str:
    """Return the host of an address of the web. Raises OutboundRefused for one that is none, or hides another."""
    return _parsed(url).host


@contextmanager
def _exchange(call: Call, deadline: Deadline) -> Iterator[StreamedAnswer]:
    url = _parsed(call.url)
    guard.check(url.host, url.port or _DEFAULT_PORTS[url.scheme], call.purpose)
    record = _Record(url.host, call)
    try:
        with _errors():
            response = _transports.get(by_setting=call.by_setting).handle_request(_request(call, url, deadline, record))
        answer = StreamedAnswer(response, call.most_bytes, deadline)
        try:
            yield answer
        finally:
            record.received = answer.received
            response.close()
    except OutboundRefused:
        record.refused = True
        raise
    finally:
        record.enter()


def _request(call: Call, url: httpx.URL, deadline: Deadline, record: _Record) -> httpx.Request:
    """Return the request. Raises OutboundRefused for a header that would become another one, and does not say which."""
    import httpx

    headers = {**_HEADERS, **call.headers}
    if not all(sign.isascii() and sign.isprintable() for value in headers.values() for sign in value):
        raise OutboundRefused("A key or header has signs that cannot be sent.", hint="Enter it again.")
    if call.body:
        headers["Content-Length"] = str(len(call.body))
    body = record.counted(call.body) if call.body else None
    return httpx.Request(call.method, url, headers=headers, content=body, extensions=deadline.extensions())


@contextmanager
def _errors() -> Iterator[None]:
    """Raise what httpx raises as our own errors, which name neither address nor headers."""
    import httpx

    try:
        yield
    except httpx.TimeoutException as exc:
        raise OutboundTooSlow from exc
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as exc:
        raise OutboundFailed from exc


def _parsed(url: str) -> httpx.URL:
    """Return an address of the web. Raises OutboundRefused for what two readers might take for two addresses."""
    import httpx

    if any(sign == "\\" or sign.isspace() or not sign.isprintable() for sign in url):
        raise OutboundRefused("The address has signs that no address has.")
    try:
        parsed = httpx.URL(url)
        named = _HOST.fullmatch(parsed.raw_host.decode("ascii"))
        good = parsed.scheme in _DEFAULT_PORTS and named is not None and not parsed.userinfo
        good = good and (parsed.port is None or parsed.port in _PORTS)
    except (httpx.InvalidURL, ValueError, TypeError) as exc:
        raise OutboundRefused("The address cannot be read.") from exc
    if not good:
        raise OutboundRefused("The address must begin with https:// or http://, and have no name or password in it.")
    return parsed


def _redirected(call: Call, answer: StreamedAnswer) -> Call | None:
    """Return the call that a redirect leads to, or None where none is to be followed."""
    import httpx

    target = answer.headers.get("location", "")
    if call.redirects < 1 or answer.status not in _REDIRECTS or not target or call.method not in ("GET", "HEAD"):
        return None
    before = _parsed(call.url)
    try:
        after = _parsed(str(before.join(target)))
    except (httpx.InvalidURL, ValueError) as exc:
        raise OutboundRefused("The address of the redirect cannot be read.") from exc
    if before.scheme == "https" and after.scheme != "https":
        raise OutboundRefused("The redirect leads from https to http.")
    same = (before.scheme, before.host, before.port) == (after.scheme, after.host, after.port)
    following = replace(call, url=str(after), redirects=call.redirects - 1)
    return following if same else replace(following, headers={}, by_setting=False)


class _Record:
    """The ledger's entry in the making. It goes to the ledger that was open when the request began."""

    def __init__(self, host: str, call: Call) -> None:
        self._host, self._purpose = host, call.purpose
        self._began = monotonic()
        self._context = copy_context()
        self._sent = 0
        self.received = 0
        self.refused = False

    def counted(self, body: bytes) -> Iterator[bytes]:
        """Yield the body as it is sent."""
        for start in range(0, len(body), 65536):
            piece = body[start : start + 65536]
            yield piece
            self._sent += len(piece)

    def enter(self) -> None:
        """Enter the ledger."""
        milliseconds = (monotonic() - self._began) * 1000
        entry = ledger.Outbound(self._host, self._purpose, self._sent, self.received, milliseconds, self.refused)
        self._context.run(ledger.enter, entry)


class _Transports:
    """Connections of this process: one transport for users' addresses, one for the settings', never mixed.

    A connection that may lie in a private network because of the settings must not serve a user who gives its address.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[bool, GuardedTransport] = {}

    def get(self, *, by_setting: bool) -> GuardedTransport:
        from orchestra.common.outbound.transport import GuardedTransport

        with self._lock:
            if by_setting not in self._made:
                allowed = None if by_setting else lambda: places(settings.OUTBOUND_ALLOWED_PRIVATE)
                self._made[by_setting] = GuardedTransport(allowed)
            return self._made[by_setting]


_transports = _Transports()


def _start_anew_in_child() -> None:
    """Connections and locks of the parent are the parent's."""
    global _transports  # noqa: PLW0603  # one per process is the point of it
    _transports = _Transports()


os.register_at_fork(after_in_child=_start_anew_in_child)
