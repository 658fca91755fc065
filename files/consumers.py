"""The status socket: a snapshot, then what the user's feed tells. What it says is always read from the database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar
from weakref import WeakSet

from channels.generic.websocket import AsyncWebsocketConsumer

from files.feeds import BROKEN, NOT_SIGNED_IN, Feed, as_text, feed_of, snapshot_of
from orchestra.accounts.credentials import Credential
from orchestra.accounts.sockets import Principal

MOST_WAITING = 200
"""Messages that a slow client may leave waiting before it is closed: it opens a new socket and begins anew."""


_open: WeakSet[StatusConsumer] = WeakSet()


def open_sockets() -> int:
    """Return how many sockets this process holds."""
    return len(_open)


class StatusConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """Tells one browser or program about its user's files.

    Server messages: ``snapshot`` {files, counts}, then those of `files.feeds`. Each file carries its `version`; a
    client ignores versions older than what it shows.
    """

    channel_layer_alias: ClassVar[str] = "none"  # the feed listens, once for all sockets of a user
    shown: Credential
    _feed: Feed | None
    _sending: asyncio.Task[None] | None
    _closing: asyncio.Task[None] | None

    async def connect(self) -> None:
        """Accept a signed-in user; close with 4401 otherwise."""
        self._feed = self._sending = self._closing = None
        _open.add(self)
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        principal: Principal | None = self.scope["principal"]
        await self.accept()
        if principal is None:
            await self.close(code=NOT_SIGNED_IN)
            return
        self.shown = principal.shown
        self._feed = feed_of(principal.user)
        # Feed first, snapshot second: a change in between is sent twice rather than never.
        await self._feed.join(self)
        await self.send(as_text(await snapshot_of(principal.user)))
        self._sending = asyncio.create_task(self._send())

    async def disconnect(self, code: int) -> None:
        """Leave the feed."""
        _open.discard(self)
        if self._sending is not None:
            self._sending.cancel()
        if self._feed is not None:
            await self._feed.leave(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore what clients say: this socket only tells."""

    def tell(self, text: str) -> None:
        """Send a message when the client takes it; close a client that takes none."""
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            self.dismiss(BROKEN)

    def dismiss(self, code: int) -> None:
        """Close."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code))

    async def _send(self) -> None:
        with suppress(RuntimeError):  # it was closed meanwhile
            while True:
                await self.send(await self._waiting.get())

    async def _close(self, code: int) -> None:
        with suppress(RuntimeError):  # it was closed meanwhile
            await self.close(code=code)
