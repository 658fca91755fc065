"""Refuses request bodies that are too large before they are read.

Django's ASGI handler spools a whole body to disk before any view runs, and trusts Content-Length. This wrapper stands
in front of it, looks at the declared length, and counts the bytes that really come. Bodies that a view reads while
they come (`orchestra.common.streamed_body`) are not spooled, and counted by that view.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from orchestra.common.api_errors import error_body
from orchestra.common.streamed_body import is_streamed

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, Scope


_BAD_LENGTH = error_body("content_length_invalid", "Content-Length is not a number.", "Send the number of bytes.")


class BodyTooLarge(Exception):
    """More bytes came than the limit; raised through the application to end the request."""


class BodyLimit:
    """ASGI wrapper: bodies of HTTP requests hold at most `limit` bytes."""

    def __init__(self, application: Any, limit: int) -> None:
        self._application = application
        self._limit = limit

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        declared = [value for name, value in scope["headers"] if name == b"content-length"]
        if not all(value.isdigit() for value in declared):
            await _answer(send, 400, _BAD_LENGTH)
            return
        if is_streamed(cast(Mapping[str, Any], scope)):
            await self._application(scope, receive, send)
            return
        if any(self._is_too_large(value) for value in declared):
            await self._refuse(send)
            return
        try:
            await self._application(scope, self._counted(receive), send)
        except BodyTooLarge:
            await self._refuse(send)

    def _is_too_large(self, declared: bytes) -> bool:
        # By digits first: Python refuses to read numbers of thousands of them.
        digits = declared.lstrip(b"0")
        return len(digits) > len(str(self._limit)) or int(digits or b"0") > self._limit

    def _counted(self, receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
        seen = 0

        async def counted() -> ASGIReceiveEvent:
            nonlocal seen
            event = await receive()
            if event["type"] == "http.request":
                seen += len(event.get("body", b""))
                if seen > self._limit:
                    raise BodyTooLarge
            return event

        return counted

    async def _refuse(self, send: Any) -> None:
        body = error_body(
            "request_too_large",
            f"One request may carry at most {self._limit} bytes.",
            "Send larger files in chunks: POST /api/files/upload/initiate.",
            {"limit": self._limit},
        )
        await _answer(send, 413, body)


async def _answer(send: Any, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
