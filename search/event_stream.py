"""A search as server-sent events: what a mode yields while it works, then its result.

For the API and the page, which give it the text of each event. Served by ASGI the search runs in the request's own
thread and one context, and ends when its client goes away: the mode's generator is closed, and with it a model's call.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import closing
from typing import Any, TypeAlias

import structlog
from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from orchestra.common.api_errors import error_body
from orchestra.common.errors import OrchestraError
from search.answering.answer import Event
from search.modes.base import Run
from search.retrieval import SearchResult

logger = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
ALIVE = b": at work\n\n"
"""A comment, which clients pass over. Sent where there is nothing to say but a chance to see who still listens."""

Show: TypeAlias = Callable[[Event], tuple[str, Any] | None]
"""Gives the name of an event and what it holds; None for one that nobody sees."""


def as_bytes(name: str, data: object) -> bytes:
    """Return one event. Its data is one line of JSON."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


class EventStream(StreamingHttpResponse):
    """A running search, told event by event."""

    def __init__(self, running: Run, show: Show, finish: Callable[[SearchResult], Any]) -> None:
        """Take the search, what is shown of an event, and what is shown of the result."""
        self._pieces = _told(running, show, finish)
        super().__init__(self._pieces, content_type=f"{MEDIA_TYPE}; charset=utf-8")
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"  # a proxy that collects the whole answer first would stream nothing

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the events as they come; stop the search when nobody takes them any more."""
        pieces = self._pieces
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        gone, loop = threading.Event(), asyncio.get_running_loop()

        def pump() -> None:
            try:
                with closing(pieces):
                    for piece in pieces:
                        if gone.is_set():
                            return
                        loop.call_soon_threadsafe(queue.put_nowait, piece)
            finally:
                loop.call_soon_threadsafe(queue.put_nowait, None)

        work = asyncio.ensure_future(sync_to_async(contextvars.copy_context().run, thread_sensitive=True)(pump))
        try:
            while (piece := await queue.get()) is not None:
                yield piece
        finally:
            gone.set()
            await asyncio.wait([work])


def _told(running: Run, show: Show, finish: Callable[[SearchResult], Any]) -> Generator[bytes, None, None]:
    """Yield a search's events; what goes wrong is the last one of them."""
    try:
        with closing(running):
            while True:
                shown = show(next(running))
                yield as_bytes(*shown) if shown else ALIVE
    except StopIteration as ended:
        yield as_bytes("result", finish(ended.value))
    except OrchestraError as error:
        yield as_bytes("error", error_body(error.code, error.message, error.hint, error.details))
    except Exception:  # the request ends here: its status was sent long ago
        logger.exception("a streamed search broke off")
        yield as_bytes("error", error_body(OrchestraError.code, OrchestraError.default_message))
