"""The far end of `doctor --proxy`: says how a request arrived, for whoever holds a token that doctor has just made.

It stands before Django, which reads a whole body before a view sees any of it, and here the first byte counts.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.core.cache import cache

from orchestra.common.api_errors import error_body

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

PREFIX = "/api/system/probe/"
TOKEN_SECONDS = 600
SAMPLE = bytes(range(256)) * 16  # what a request for a range gets a piece of

_RANGE = re.compile(rb"bytes=(\d{1,6})-(\d{1,6})")
_NOT_FOUND = error_body("not_found", "There is nothing here.", "`manage.py doctor --proxy` makes these addresses.")


def open_probe() -> str:
    """Make a token that the probe answers to for ten minutes."""
    token = secrets.token_urlsafe(24)
    cache.set(_key(token), "open", TOKEN_SECONDS)
    return token


def is_open(token: str) -> bool:
    """Say whether doctor made this token a short while ago."""
    return cache.get(_key(token)) is not None


def first_byte_came(token: str, name: str) -> bool:
    """Say whether the first byte of the body called `name` has reached the web."""
    return cache.get(f"{_key(token)}:{name}") is not None


def _key(token: str) -> str:
    return f"proxy-probe:{token}"


class ProxyProbe:
    """ASGI wrapper: answers under PREFIX, leaves all else to the application."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._application(scope, receive, send)
            return
        token, _, name = scope["path"].removeprefix(PREFIX).partition("/")
        if not await sync_to_async(is_open)(token):
            await _answer(send, 404, _NOT_FOUND)
        elif scope["method"] in ("PUT", "PATCH"):
            await _answer(send, 200, {"received": await _count(receive, token, name)})
        elif scope["method"] == "GET" and name == "range":
            await _answer_range(scope, send)
        else:
            await _answer(send, 200, _arrival(scope))


def _arrival(scope: HTTPScope) -> dict[str, Any]:
    """Return how a request arrived."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    told, believed = headers.get("x-forwarded-proto", ""), settings.SECURE_PROXY_SSL_HEADER is not None
    host, port = scope.get("client") or ("", 0)
    return {
        "host": headers.get("host", ""),
        "secure": told == "https" if believed else scope["scheme"] == "https",
        "forwarded_proto": told,
        "forwarded_for": headers.get("x-forwarded-for", ""),
        "client": host,
        # A client that the proxy named has no port, or the one that the proxy named with it.
        "believed": not port or f"{host}:{port}" in headers.get("x-forwarded-for", ""),
    }


async def _count(receive: ASGIReceiveCallable, token: str, name: str) -> int:
    """Read a body, note when its first byte is here, and return its length; nothing is kept."""
    count, more = 0, True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            break
        if event["body"] and not count:
            await sync_to_async(cache.set)(f"{_key(token)}:{name}", "came", TOKEN_SECONDS)
        count += len(event["body"])
        more = event["more_body"]
    return count


async def _answer_range(scope: HTTPScope, send: ASGISendCallable) -> None:
    asked = _RANGE.fullmatch(dict(scope["headers"]).get(b"range", b""))
    body = SAMPLE[int(asked[1]) : int(asked[2]) + 1] if asked else SAMPLE
    await _send(send, 206 if asked else 200, body, (b"content-type", b"application/octet-stream"))


async def _answer(send: ASGISendCallable, status: int, body: dict[str, Any]) -> None:
    await _send(send, status, json.dumps(body).encode(), (b"content-type", b"application/json"))


async def _send(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    more = [(b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *more]})
    await send({"type": "http.response.body", "body": body})


class ProbeConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """Says back what it is told, for a token that doctor has just made."""

    async def connect(self) -> None:
        """Accept a known token, refuse all else."""
        if await sync_to_async(is_open)(self.scope["url_route"]["kwargs"]["token"]):
            await self.accept()
        else:
            await self.close()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Say it back."""
        await self.send(text_data=text_data, bytes_data=bytes_data)
