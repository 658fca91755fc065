"""A socket client inside the process. (channels.testing wants daphne, which the product does not use.)"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref import testing
from asgiref.sync import async_to_sync

from tests.pace import within

HOST = (b"host", b"testserver")
OUR_ORIGIN = (b"origin", b"http://testserver")


class Closed(AssertionError):
    """The application closed the socket; `code` says why."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"closed with {code}")


class Socket:
    """One connection to /ws/status/ through the whole ASGI application."""

    def __init__(self, *headers: tuple[bytes, bytes], query: str = "") -> None:
        from orchestra.asgi import application

        scope: Any = {
            "type": "websocket",
            "path": "/ws/status/",
            "query_string": query.encode(),
            "headers": [HOST, *headers],
            "subprotocols": [],
        }
        communicator: Any = testing.ApplicationCommunicator  # untyped
        self._wire = communicator(application, scope)

    async def __aenter__(self) -> Socket:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    async def connect(self) -> None:
        """Open the socket. Raises Closed when it is denied before it is accepted."""
        await self._wire.send_input({"type": "websocket.connect"})
        message = await self._wire.receive_output(within(5))
        if message["type"] != "websocket.accept":
            raise Closed(message.get("code", 1000))

    async def next(self, seconds: float = 2) -> Any:
        """Return the next message. Raises Closed, TimeoutError."""
        message = await self._wire.receive_output(within(seconds))
        if message["type"] == "websocket.close":
            raise Closed(message.get("code", 1000))
        return json.loads(message["text"])

    async def next_of(self, kind: str, seconds: float = 2) -> Any:
        """Return the next message of a type, skipping others."""
        async with asyncio.timeout(within(seconds)):
            while True:
                message = await self.next(seconds)
                if message["type"] == kind:
                    return message

    async def until_closed(self) -> int:
        """Return the code with which the application closes the socket; what it says before is dropped."""
        try:
            while True:
                await self.next()
        except Closed as closed:
            return closed.code

    async def opened(self) -> Any:
        """Open the socket and return the snapshot."""
        await self.connect()
        return await self.next_of("snapshot")

    async def is_silent(self, seconds: float) -> bool:
        """Say whether nothing comes for so long."""
        return bool(await self._wire.receive_nothing(seconds, 0.02))

    async def say(self, **frame: object) -> None:
        """Send a raw frame."""
        await self._wire.send_input({"type": "websocket.receive", **frame})

    async def disconnect(self) -> None:
        """Leave, and wait until the application has cleaned up."""
        if not self._wire.future.done():
            await self._wire.send_input({"type": "websocket.disconnect", "code": 1000})
            await self._wire.wait(within(5))


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run an async scenario; database calls stay in this thread, where the test's connection is."""
    async_to_sync(scenario)()
