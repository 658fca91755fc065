"""How messages reach the server: over standard input and output, or as requests of HTTP, each of which stands alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestra.accounts.models import User
from search.mcp.protocol import server_for

PATH = "/mcp"
_TAKEN = ("accept", "content-type")
_TAKEN_PREFIX = "mcp-"


@dataclass(slots=True)
class Reply:
    """What the server answers a request."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def take(self, message: Any) -> None:
        """Take a message of ASGI's."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")


async def exchange(user: User, headers: Mapping[str, str], body: bytes) -> Reply:
    """Answer one request of the transport "streamable HTTP", as its user. No session is kept.

    Of the headers the server sees those that are its own: neither cookies nor keys.
    """
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    manager = StreamableHTTPSessionManager(server_for(lambda: user), json_response=True, stateless=True)
    reply = Reply()
    async with manager.run():
        await manager.handle_request(_scope(headers), _receiver(body), reply.take)
    return reply


async def serve_standard_streams(find_user: Callable[[], User]) -> None:
    """Serve the program at the other end of standard input and output until it ends."""
    from mcp.server.stdio import stdio_server

    server = server_for(find_user)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _scope(headers: Mapping[str, str]) -> dict[str, Any]:
    known = {name.lower(): value for name, value in headers.items()}
    taken = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in known.items()
        if name in _TAKEN or name.startswith(_TAKEN_PREFIX)
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": taken,
    }


def _receiver(body: bytes) -> Callable[[], Any]:
    """Return what gives the body, and then nothing: that a client goes away is not told to who works in a thread."""
    parts = [body]

    async def receive() -> dict[str, Any]:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": False}
        never: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        return await never

    return receive
