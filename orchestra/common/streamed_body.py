"""Bodies that a view reads while they come, instead of after Django has put them on disk as a whole.

For the uploads of tus: a body of any length, of which every byte that came counts, even if the line breaks. Such a body
has no limit here; the view counts what it reads. All others are spooled by Django behind `orchestra.common.body_limit`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable

_PREFIX = "/tus/"
_TYPE = b"application/offset+octet-stream"
_DRAINED_BYTES = 1024**2
_DRAINED_SECONDS = 1.0


class BodyCut(ConnectionError):
    """The client went away in the middle of its request."""


def is_streamed(scope: Mapping[str, Any]) -> bool:
    """Say whether the body of a request is read while it comes: by its address and type."""
    path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    if scope["type"] != "http" or not path.startswith(_PREFIX):
        return False
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    return [value.partition(b";")[0].strip().lower() for value in types] == [_TYPE]


class StreamedBody:
    """The bytes of one request. `read` is called in the request's thread, everything else in the event loop's."""

    def __init__(self, receive: ASGIReceiveCallable) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._pending: Future[bytes] | None = None
        self._left = b""
        self._cut = False
        self.ended = False

    def read(self, size: int, /, seconds: float | None = None) -> bytes:
        """Return up to `size` bytes; empty at the end. Raises TimeoutError after `seconds` without any, BodyCut."""
        while not self._left and not self.ended:
            if self._cut:
                raise BodyCut
            self._pending = self._pending or asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            try:
                self._left = self._pending.result(seconds)
            except CancelledError as exc:
                raise BodyCut from exc
            self._pending = None
        data, self._left = self._left[:size], self._left[size:]
        return data

    async def _next(self) -> bytes:
        event = await self._receive()
        if event["type"] != "http.request":
            self._cut = True
            raise BodyCut
        self.ended = not event.get("more_body", False)
        return event.get("body", b"")

    def cut(self) -> None:
        """End the body here: nobody waits for an answer any more."""
        self._cut = True
        if self._pending is not None:
            self._pending.cancel()

    async def drain(self) -> bool:
        """Take a little of what a refused request still sends, and say whether that was all.

        A connection that is closed while bytes come is reset, and the client may never see the answer.
        """
        left = _DRAINED_BYTES
        with suppress(BodyCut, TimeoutError):
            async with asyncio.timeout(_DRAINED_SECONDS):
                while not (self.ended or self._cut) and left > 0:
                    left -= len(await self._next())
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
