"""Go to Orchestra from outside, as browsers and programs do, and judge what comes of it: one outcome per check."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from orchestra.monitoring.checks import CheckResult, Outcome
from orchestra.monitoring.proxy import remedies
from orchestra.monitoring.proxy.probe import PREFIX, SAMPLE, first_byte_came, open_probe

MEBIBYTE = 1024 * 1024
_SECONDS = 30
_STREAM_SECONDS = 5.0  # for the first bytes of a body to reach the web while the rest is held back
_GATEWAY = (502, 503, 504)
_SPOOFED = "203.0.113.7"  # an address for documentation: nobody's


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    def json(self) -> dict[str, Any]:
        """Return the body's object; an empty one where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Visit:
    """Where to go, with which token; `chunk` bytes must fit into one body, and a socket must live `idle` seconds."""

    origin: str
    token: str
    chunk: int
    idle: float

    @property
    def host(self) -> str:
        """The public name, with a port where it is not the scheme's."""
        return urlsplit(self.origin).netloc

    @property
    def secure(self) -> bool:
        """Whether the address is https."""
        return self.origin.startswith("https:")

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection that is not open yet."""
        if self.secure:
            return http.client.HTTPSConnection(self.host, timeout=_SECONDS, context=ssl.create_default_context())
        return http.client.HTTPConnection(self.host, timeout=_SECONDS)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send one request and return the answer. Raises OSError, HTTPException."""
        with closing(self.connection()) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # who refuses a body answers before it is sent
                connection.request(method, path, body, {"User-Agent": "orchestra-doctor", **(headers or {})})
            return _answer_of(connection)

    def arrival(self, **headers: str) -> dict[str, Any]:
        """Return how a request with these headers reached the web."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("GET", f"{PREFIX}{self.token}/arrival", sent).json()


def _answer_of(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    cookies: SimpleCookie = SimpleCookie()
    for line in response.headers.get_all("Set-Cookie") or ():
        cookies.load(line)
    return Answer(response.status, dict(response.headers.items()), response.read(16 * MEBIBYTE), cookies)


def examine(url: str, chunk: int, idle: float = 20) -> Iterator[CheckResult]:
    """Check one thing after the other; nothing more when the first says that nobody is there."""
    parts = urlsplit(url)
    visit = Visit(f"{parts.scheme}://{parts.netloc}", open_probe(), chunk, idle)
    reached = _run("reachable", _reachable, visit)
    yield reached
    if reached.outcome.ok:
        for name, check in _CHECKS.items():
            yield _run(name, check, visit)


class _Fault(Exception):
    """Something is not as it should be, and what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message, self.remedy = message, remedy
        super().__init__(message)


def _run(name: str, check: Callable[[Visit], str], visit: Visit) -> CheckResult:
    began = time.perf_counter()
    try:
        outcome = Outcome.passed(check(visit))
    except _Fault as fault:
        outcome = Outcome.failed(fault.message, fault.remedy)
    except ssl.SSLCertVerificationError as exc:
        outcome = Outcome.failed(f"Its certificate is not trusted: {exc.verify_message}.", remedies.CERTIFICATE)
    except (OSError, http.client.HTTPException) as exc:
        outcome = Outcome.failed(f"The connection broke: {exc!r}", "See the proxy's error log at this moment.")
    return CheckResult(name, outcome, round(1000 * (time.perf_counter() - began), 1))


def _reachable(visit: Visit) -> str:
    try:
        answer = visit.ask("GET", "/api/health/live")
    except ssl.SSLCertVerificationError:
        raise
    except (OSError, http.client.HTTPException) as exc:
        raise _Fault(f"Nothing answers at {visit.origin}: {exc}", remedies.UNREACHABLE) from exc
    if answer.status in _GATEWAY:
        raise _Fault(f"The proxy answers {answer.status}: it does not reach the web.", remedies.NO_WEB)
    if answer.status == http.HTTPStatus.BAD_REQUEST:
        seen = str(visit.arrival().get("host") or visit.host)
        if _name_in(seen) != _name_in(visit.host):
            raise _Fault(f"The web is asked for {seen}, not for {visit.host}.", remedies.HOST)
        raise _Fault(f"The web does not answer to {seen}.", remedies.allowed_hosts(_name_in(seen)))
    if answer.status != http.HTTPStatus.OK or answer.json().get("status") != "ok":
        raise _Fault(f"/api/health/live answers {answer.status}, and not as Orchestra does.", remedies.NOT_OURS)
    if not visit.arrival():
        raise _Fault(
            "The web there does not know this installation's Redis.", "Run this with the settings of that web."
        )
    return f"Orchestra answers at {visit.origin}."


def _host(visit: Visit) -> str:
    seen = visit.arrival()["host"]
    if _name_in(seen) != _name_in(visit.host):
        raise _Fault(f"The web is asked for {seen}, not for {visit.host}.", remedies.HOST)
    return f"The web is asked for {seen}."


def _name_in(netloc: str) -> str:
    return urlsplit(f"//{netloc}").hostname or netloc


def _scheme(visit: Visit) -> str:
    """Compare the scheme with what the web takes it for, also when the client lies about it."""
    wrong = "http" if visit.secure else "https"
    seen, lied = visit.arrival(), visit.arrival(X_Forwarded_Proto=wrong)
    if visit.secure and not seen["secure"]:
        told = seen["forwarded_proto"] == "https"
        what = "although the proxy says https" if told else "and the proxy does not say https"
        raise _Fault(f"The web takes this for plain http, {what}.", remedies.TLS_SETTING if told else remedies.SCHEME)
    if seen["secure"] and not visit.secure:
        raise _Fault("The web takes plain http for https.", remedies.NO_TLS_SETTING)
    if lied["secure"] != seen["secure"] or (seen["forwarded_proto"] and lied["forwarded_proto"] == wrong):
        raise _Fault("The proxy passes a client's X-Forwarded-Proto on.", remedies.SCHEME)
    return f"The web sees {'https' if visit.secure else 'http'}, whatever a client says."


def _address(visit: Visit) -> str:
    """See whose address the web sees, also when the client lies about it."""
    seen, lied = visit.arrival(), visit.arrival(X_Forwarded_For=_SPOOFED)
    if _SPOOFED in (lied["client"], lied["forwarded_for"]):
        raise _Fault("The proxy passes a client's X-Forwarded-For on: anybody may be anybody.", remedies.ADDRESS)
    if not seen["forwarded_for"]:
        raise _Fault("The proxy does not tell who asks: all clients look like one.", remedies.ADDRESS)
    if not seen["believed"]:
        address = seen["client"]
        raise _Fault(
            f"The proxy tells who asks, and the web does not believe {address}.", remedies.trusted_proxies(address)
        )
    return f"The web knows who asks: {seen['client']}."


def _forms(visit: Visit) -> str:
    """Fetch a page and send its form back, as a browser that is not signed in; it signs nobody out."""
    page = visit.ask("GET", "/sign-in")
    cookie = page.cookies.get("csrftoken")
    if page.status in (301, 302, 307, 308):
        raise _Fault("The sign-in page sends to itself: the web takes https for http.", remedies.SCHEME)
    if cookie is None:
        raise _Fault(f"No cookie came with the sign-in page ({page.status}).", remedies.COOKIES)
    if visit.secure and not cookie["secure"]:
        raise _Fault("The cookies are not kept to https.", remedies.TLS_SETTING)
    if cookie["secure"] and not visit.secure:
        raise _Fault("The cookies are for https alone, and this address is not.", remedies.NO_TLS_SETTING)
    headers = {
        "Cookie": f"csrftoken={cookie.value}",
        "X-CSRFToken": cookie.value,
        "Origin": visit.origin,
        "Referer": f"{visit.origin}/sign-in",
    }
    sent = visit.ask("POST", "/sign-out", headers, b"")
    if sent.status == http.HTTPStatus.FORBIDDEN:
        raise _Fault("Forms are refused: their origin is not trusted.", remedies.trusted_origins(visit.origin))
    if sent.status != http.HTTPStatus.FOUND:
        raise _Fault(f"A form is answered with {sent.status}.", "See the web's log.")
    return "Cookies and forms pass."


def _socket(visit: Visit) -> str:
    """Open a socket as a page does, leave it alone for a while, and talk over it then."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
    from websockets.sync.client import connect

    address = f"{visit.origin.replace('http', 'ws', 1)}/ws/probe/{visit.token}"
    trust = ssl.create_default_context() if visit.secure else None
    origin: Any = visit.origin  # the library's type for it is a name of its own for str
    try:
        with connect(
            address, origin=origin, ssl=trust, open_timeout=_SECONDS, proxy=None, ping_interval=None
        ) as socket:
            time.sleep(visit.idle)
            socket.send("still here")
            said = socket.recv(timeout=10)
    except InvalidStatus as exc:
        code = exc.response.status_code
        refused = code == http.HTTPStatus.FORBIDDEN
        remedy = remedies.trusted_origins(visit.origin) if refused else remedies.UPGRADE
        what = "its page's origin is not trusted" if refused else "the upgrade does not reach the web"
        raise _Fault(f"A socket is answered with {code}: {what}. Pages poll instead.", remedy) from exc
    except InvalidHandshake as exc:
        raise _Fault(f"No socket can be opened: {exc}. Pages poll instead.", remedies.UPGRADE) from exc
    except (ConnectionClosed, TimeoutError) as exc:
        raise _Fault(f"A socket that is silent for {visit.idle:.0f} s is closed.", remedies.IDLE) from exc
    if said != "still here":
        raise _Fault("A socket says something else than the web said.", remedies.UPGRADE)
    return f"Sockets open, and live through {visit.idle:.0f} s of silence."


def _body(visit: Visit) -> str:
    """Send a body as large as the largest usual one."""
    size = visit.chunk + MEBIBYTE
    shown = f"{size / MEBIBYTE:.0f} MiB"
    try:
        answer = visit.ask("PUT", f"{PREFIX}{visit.token}/body", body=b"\0" * size)
    except (OSError, http.client.HTTPException) as exc:
        raise _Fault(f"A body of {shown} is cut off: {exc!r}.", remedies.BODY) from exc
    if answer.status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise _Fault(f"A body of {shown} is too large for the proxy.", remedies.BODY)
    if answer.json().get("received") != size:
        raise _Fault(f"A body of {shown} is answered with {answer.status}.", remedies.BODY)
    return f"A body of {shown} passes."


def _streaming(visit: Visit) -> str:
    """Send the start of a body, and see whether it reaches the web before the rest is sent."""
    first, rest = b"\0" * 256 * 1024, b"\0" * 1024
    with _begun(visit, "stream", len(first) + len(rest)) as connection:
        connection.send(first)
        began = time.monotonic()
        until = began + _STREAM_SECONDS
        while not (came := first_byte_came(visit.token, "stream")) and time.monotonic() < until:
            time.sleep(0.05)
        seconds = time.monotonic() - began
        connection.send(rest)
        answer = _answer_of(connection)
    if answer.json().get("received") != len(first) + len(rest):
        raise _Fault(f"A body in two parts is answered with {answer.status}.", remedies.BUFFERING)
    if not came:
        raise _Fault("Bodies reach the web only when they are complete at the proxy.", remedies.BUFFERING)
    return f"Bodies are passed on while they come ({1000 * seconds:.0f} ms)."


@contextmanager
def _begun(visit: Visit, name: str, length: int) -> Iterator[http.client.HTTPConnection]:
    with closing(visit.connection()) as connection:
        connection.putrequest("PUT", f"{PREFIX}{visit.token}/{name}")
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        yield connection


def _ranges(visit: Visit) -> str:
    answer = visit.ask("GET", f"{PREFIX}{visit.token}/range", {"Range": "bytes=100-299"})
    if answer.status != http.HTTPStatus.PARTIAL_CONTENT or answer.body != SAMPLE[100:300]:
        raise _Fault(f"A part of a file is answered with {answer.status}, not with that part.", remedies.RANGES)
    return "Parts of files can be fetched."


def _methods(visit: Visit) -> str:
    """Send what the API and tus send beside GET and POST."""
    bad = []
    for method in ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
        answer = visit.ask(method, f"{PREFIX}{visit.token}/method", {"Tus-Resumable": "1.0.0"})
        if answer.status != http.HTTPStatus.OK:
            bad.append(f"{method} ({answer.status})")
    if bad:
        raise _Fault(f"These do not pass: {', '.join(bad)}.", remedies.METHODS)
    return "PUT, PATCH, DELETE, HEAD and OPTIONS pass."


_CHECKS: dict[str, Callable[[Visit], str]] = {
    "host": _host,
    "scheme": _scheme,
    "address": _address,
    "forms": _forms,
    "socket": _socket,
    "body": _body,
    "streaming": _streaming,
    "ranges": _ranges,
    "methods": _methods,
}
