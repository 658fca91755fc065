"""Bodies that a view reads while they come, instead of after Django has put them on disk as a whole.

For the uploads of tus: a body of any length, of which every byte that came counts, even if the line breaks. Such a body
has no limit here; the view counts what it reads. All others are spooled by Django behind `orchestra.common.body_limit`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from orchestra.common.errors import OrchestraError

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent

_PREFIX = "/tus/"
_TYPE = b"application/offset+octet-stream"
_AHEAD = 256 * 1024
_DRAINED_BYTES = 1024**2
_DRAINED_SECONDS = 1.0


class BodyCut(OrchestraError, ConnectionError):
    """The client went away in the middle of its request. Nobody reads the answer; the log is spared a traceback."""

    code = "body_cut"
    status = 400
    default_message = "The connection ended before the request did. What came of it is kept."
    default_hint = "Ask for the offset with HEAD and send the bytes from there."


def is_streamed(scope: Mapping[str, Any]) -> bool:
    """Say whether the body of a request is read while it comes: by its address and type."""
    path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    if scope["type"] != "http" or not path.startswith(_PREFIX):
        return False
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    return [value.partition(b";")[0].strip().lower() for value in types] == [_TYPE]


class StreamedBody:
    """The bytes of one request. `read` is called in the request's thread, everything else in the event loop's.

    `fill` takes bytes from the server as they come, a little ahead of the reader: what came before a line broke is
    read first, and the break noticed after it. `eager`: from the start; otherwise from the first `read` on.
    """

    def __init__(self, receive: ASGIReceiveCallable, *, eager: bool = True) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._changed = threading.Condition()
        self._wanted = asyncio.Event()
        self._cut = False
        self.ended = False
        if eager:
            self._wanted.set()

    async def fill(self) -> None:
        """Take what comes until the end, and wait while the reader is behind."""
        while not (self.ended or self._cut):
            await self._wanted.wait()
            self._take(await self._receive())
            if len(self._buffer) >= _AHEAD:
                self._wanted.clear()

    def _take(self, event: ASGIReceiveEvent) -> None:
        with self._changed:
            if event["type"] == "http.request":
                self._buffer += event.get("body", b"")
                self.ended = not event.get("more_body", False)
            else:
                self._cut = True
            self._changed.notify_all()

    def read(self, size: int, /, seconds: float | None = None) -> bytes:
        """Return up to `size` bytes; empty at the end. Raises TimeoutError after `seconds` without any, BodyCut."""
        with self._changed:
            if not self._buffer:
                self._ask_for_more()
            if not self._changed.wait_for(lambda: self._buffer or self.ended or self._cut, seconds):
                raise TimeoutError
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            if not data and not self.ended:
                raise BodyCut
        if len(self._buffer) < _AHEAD:
            self._ask_for_more()
        return data

    def _ask_for_more(self) -> None:
        with suppress(RuntimeError):  # the loop has ended, and the body is cut
            self._loop.call_soon_threadsafe(self._wanted.set)

    def cut(self) -> None:
        """End the body here: nobody waits for an answer any more."""
        with self._changed:
            self._cut = True
            self._changed.notify_all()

    async def drain(self) -> bool:
        """Take a little of what a refused request still sends, and say whether that was all. `fill` must have ended.

        A connection that is closed while bytes come is reset, and the client may never see the answer.
        """
        left = _DRAINED_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAINED_SECONDS):
                while not (self.ended or self._cut) and left > 0:
                    self._take(await self._receive())
                    left -= len(self._buffer)
                    self._buffer.clear()
        return self.ended

    def close(self) -> None:
        """Be closed as a request's file is; there is nothing to close."""


class SpooledBody:
    """A body that Django has received as a whole, read as a streamed one is."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def read(self, size: int, /, seconds: float | None = None) -> bytes:
        """Return up to `size` bytes; empty at the end."""
        return self._request.read(size)


def body_of(request: HttpRequest) -> StreamedBody | SpooledBody:
    """Return the body of a request, however it comes."""
    streamed: Any = getattr(request, "streamed_body", None)
    return streamed if isinstance(streamed, StreamedBody) else SpooledBody(request)
