"""The guard: inside `closed()` this process opens no connection to another machine and starts no program.

It is an audit hook of the interpreter, which sees connections, name lookups and datagrams of everything that is written
in Python, whatever library asks for them. It holds for the context that entered `closed()`, for copies of that context
(tasks, `contextvars.copy_context().run`), and for threads that are started inside, as long as the block lasts.

What the hook cannot see, and what holds there instead:

- Libraries in C that open connections by themselves: libpq, whose address is allowed anyway, and gRPC. Who uses such a
  library asks `refuse_inside` first; `search.vector_stores.weaviate_client` does.
- Bytes on a connection that was open before. `orchestra.common.outbound.client` asks `check` before each request.
- Work that is handed to a thread that was there before, without a copy of the context: an idle thread of an executor,
  or name lookups of an event loop that runs already. Enter `closed()` in the thread that does the work.
- `ctypes` and system calls by hand: the guard keeps the product's own promise, it is no sandbox for hostile code.

A generator that yields inside `closed()` must be driven in one context (`context.run(next, generator)`).
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from functools import wraps
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from weakref import WeakKeyDictionary

from orchestra.common.outbound import ledger
from orchestra.common.outbound.errors import OutboundRefused

Address = tuple[str, int]

_INSTALLED = "orchestra.outbound.guard"
_LONGEST_HOST = 255


class _Scope:
    """One `closed()` block: whether loopback stays open, and whether the block still lasts."""

    __slots__ = ("allow_loopback", "lasts")

    def __init__(self, allow_loopback: bool) -> None:
        self.allow_loopback = allow_loopback
        self.lasts = True


_scope: ContextVar[_Scope | None] = ContextVar("outbound_closed", default=None)
_started: WeakKeyDictionary[threading.Thread, Context] = WeakKeyDictionary()
_allowed: set[Address] = set()
_install_lock = threading.Lock()
_watching = threading.Event()


@contextmanager
def closed(*, allow_loopback: bool = False) -> Iterator[None]:
    """Refuse whatever would leave this machine, until the block ends.

    Unix sockets and what `allow` named stay open; TCP to loopback does with `allow_loopback`, for a model that runs
    here. A block inside another one cannot allow more than that. What is refused raises OutboundRefused in whoever
    tried, and stands in the ledger.
    """
    _install()
    outer = _scope.get()
    scope = _Scope(allow_loopback and (outer is None or outer.allow_loopback))
    token = _scope.set(scope)
    try:
        yield
    finally:
        scope.lasts = False
        _scope.reset(token)


def allow(addresses: Iterable[Address]) -> None:
    """Leave these open in every block: the database and Redis, which settings name by host and port."""
    _allowed.update((_plain(host), port) for host, port in addresses)


def is_closed() -> bool:
    """Tell whether the caller is inside `closed()`."""
    return _holding() is not None


def check(host: str, port: int, purpose: str) -> None:
    """Raise OutboundRefused, and enter that in the ledger, unless a connection there is possible at the moment."""
    held = _holding()
    if held is not None and not _may_connect(held[0], host, port):
        _refuse(held[1], host, purpose)


def refuse_inside(host: str, purpose: str) -> None:
    """Raise OutboundRefused inside `closed()`. For libraries whose connections the hook cannot see."""
    held = _holding()
    if held is not None:
        _refuse(held[1], host, purpose)


def _install() -> None:
    """Set up the hook, and what it is not told, once per process: a hook cannot be taken away. Forks have it too."""
    with _install_lock:
        if _watching.is_set():
            return
        sys.addaudithook(_hook)
        sys.audit(_INSTALLED)
        if not _watching.is_set():  # another hook may veto ours without a word
            raise OutboundRefused("The guard of outbound connections cannot be set up.")
        threading.Thread.start = _adopting(threading.Thread.start)  # type: ignore[assignment,method-assign]  # see there
        for name, position in (("connect", 0), ("connect_ex", 0), ("sendto", -1), ("sendmsg", 3)):
            setattr(socket.socket, name, _looking_first(getattr(socket.socket, name), position))


def _hook(event: str, args: tuple[Any, ...]) -> None:
    watch = _WATCHED.get(event) if _WATCHED else None  # when the interpreter ends, its modules' names go before it
    if watch is not None:
        watch(event, args)


def _holding() -> tuple[_Scope, Context | None] | None:
    """Return the block that holds the caller, with the context of its ledger where that is not the caller's own."""
    scope = _scope.get()
    if scope is not None:
        return scope, None
    if not _started:
        return None
    context = _started.get(threading.current_thread())
    scope = context.get(_scope) if context is not None else None
    return (scope, context) if scope is not None and scope.lasts else None


def _refuse(context: Context | None, host: str, purpose: str) -> None:
    entry = ledger.Outbound(host[:_LONGEST_HOST], purpose, refused=True)
    if context is None:
        ledger.enter(entry)
    else:
        context.copy().run(ledger.enter, entry)  # a copy: a context cannot be entered twice at a time
    raise OutboundRefused


def _may_connect(scope: _Scope, host: str, port: int) -> bool:
    if scope.allow_loopback and _is_loopback(host):
        return True
    name = _plain(host)
    return (name, port) in _allowed or any(name in _addresses_of(*each) for each in _allowed if each[1] == port)


def _addresses_of(host: str, port: int) -> set[str]:
    """Return what an allowed name leads to now; its lookup is allowed."""
    if _as_address(host) is not None:
        return {host}
    try:
        return {_plain(str(found[4][0])) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def _is_loopback(host: str) -> bool:
    address = _as_address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _as_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return a host that is written as an address; one that maps IPv4 into IPv6 as the former."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _plain(host: str) -> str:
    return str(_as_address(host) or host.lower().rstrip("."))


def _text(host: Any) -> str:
    return host.decode("latin-1") if isinstance(host, bytes | bytearray) else str(host)


def _connection(event: str, args: tuple[Any, ...]) -> None:
    """Look at socket.connect, sendto and sendmsg: (socket, address)."""
    held = _holding()
    sock, address = args[0], args[1]
    if held is None or sock.family == socket.AF_UNIX or (address is None and event == "socket.sendmsg"):
        return  # without an address the socket is connected, and its connect was looked at
    if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[1], int):
        _refuse(held[1], "?", event)  # another family than the internet's
    host = _text(address[0])
    stream = sock.type == socket.SOCK_STREAM  # a resolver on loopback would carry names to other machines
    if (
        not stream
        or sock.family not in (socket.AF_INET, socket.AF_INET6)
        or not _may_connect(held[0], host, address[1])
    ):
        _refuse(held[1], host, event)


def _lookup(event: str, args: tuple[Any, ...]) -> None:
    """Look at a name that is to be resolved. What is an address already leaves nothing to ask; its port comes later."""
    host = _text(args[0] or "")
    if host and _as_address(host) is None:
        _name_lookup(event, host)


def _reverse_lookup(event: str, args: tuple[Any, ...]) -> None:
    """Look at an address that is to be named, which asks a resolver too."""
    _name_lookup(event, _text(args[0][0] if isinstance(args[0], tuple) else args[0]))


def _name_lookup(event: str, host: str) -> None:
    held = _holding()
    if held is None or _plain(host) in {name for name, _ in _allowed}:
        return
    if not (held[0].allow_loopback and _is_loopback(host)):
        _refuse(held[1], host, event)


def _program(event: str, args: tuple[Any, ...]) -> None:
    """Refuse a program or a fork, which would not know of the block."""
    held = _holding()
    if held is not None:
        _refuse(held[1], "this machine", event)


def _bare_thread(event: str, args: tuple[Any, ...]) -> None:
    """Refuse a thread that `_adopting` does not see, where there is an event for it."""
    held = _holding()
    if held is not None and not isinstance(getattr(args[0], "__self__", None), threading.Thread):
        _refuse(held[1], "this machine", event)


def _adopting(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    """Return `Thread.start` that takes a thread into the block that starts it. Python 3.11 has no event for it."""

    @wraps(start)
    def start_inside(self: threading.Thread) -> None:
        held = _holding()
        if held is not None:
            _started[self] = held[1] or copy_context()
        start(self)

    return start_inside


def _looking_first(method: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Return a socket's method that looks at a name before it is resolved; the event comes after that."""

    @wraps(method)
    def look_first(self: socket.socket, *args: Any) -> Any:
        address = args[position] if len(args) > position else None
        if isinstance(address, tuple):
            _connection(f"socket.{method.__name__}", (self, address))
        return method(self, *args)

    return look_first


def _noted(event: str, args: tuple[Any, ...]) -> None:
    """Say that the hook is there."""
    _watching.set()


_WATCHED: dict[str, Callable[[str, tuple[Any, ...]], None]] = {
    _INSTALLED: _noted,
    **dict.fromkeys(("socket.connect", "socket.sendto", "socket.sendmsg"), _connection),
    **dict.fromkeys(("socket.getaddrinfo", "socket.gethostbyname"), _lookup),
    **dict.fromkeys(("socket.gethostbyaddr", "socket.getnameinfo"), _reverse_lookup),
    **dict.fromkeys(
        (
            *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"),
            *("pty.spawn", "os.startfile"),
        ),
        _program,
    ),
    **dict.fromkeys(("_thread.start_new_thread", "_thread.start_joinable_thread"), _bare_thread),
}
