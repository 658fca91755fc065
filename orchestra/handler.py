"""Django's HTTP handler with all of a request in one thread, and with bodies that may be read while they come.

Django's own runs the chain of middleware as coroutines and goes into the request's thread and back for each part of it:
views and middleware are synchronous here, so that was more than a dozen switches for every request.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpRequest, HttpResponseBase
from django.urls import set_script_prefix

from orchestra.common.streamed_body import StreamedBody, is_streamed

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable

_MOST_IDLE = 32


class ThreadHandler(ASGIHandler):
    """Serves each request by the synchronous chain of middleware, in a thread that no other request has meanwhile.

    Threads are used again: a new one for each request, with Django's objects for the database made anew in it, took a
    millisecond.
    """

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[ThreadPoolExecutor] = []  # touched by the event loop alone

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is none of this handler's")
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            if len(self._idle) < _MOST_IDLE:
                self._idle.append(thread)
            else:
                thread.shutdown(wait=False)

    def load_middleware(self, is_async: bool = True) -> None:
        """Build the chain as a server without coroutines would."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Run the chain in the request's thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)

    async def handle(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if is_streamed(scope):
            await self._handle_streamed(scope, receive, send)
        else:
            await super().handle(scope, receive, send)

    async def _handle_streamed(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: Any) -> None:
        """Serve a request whose view reads the body itself, and learns from that when the client goes away."""
        # Who asks before sending is told to go on by the first byte that is waited for: not before the view does.
        asks = any(name == b"expect" for name, _ in scope["headers"])
        body = StreamedBody(receive, eager=not asks)
        filling = asyncio.create_task(body.fill())
        set_script_prefix(get_script_prefix(scope))
        await signals.request_started.asend(sender=self.__class__, scope=scope)
        unread: Any = body  # it has of a file what is used of it
        request, refusal = self.create_request(scope, unread)
        try:
            response: Any = refusal if request is None else await self._respond(request, body)
            await _ended(filling)
            if not body.ended and (asks or not await body.drain()):
                response["Connection"] = "close"
            await self.send_response(response, send)
        except asyncio.CancelledError:
            # The server stops: the view stores what it has and ends.
            body.cut()
            filling.cancel()
            raise
        await sync_to_async(response.close)()

    async def _respond(self, request: Any, body: StreamedBody) -> HttpResponseBase:
        request.streamed_body = body
        return await self.run_get_response(request)


async def _ended(task: asyncio.Task[None]) -> None:
    """Stop a task, and see that it has stopped."""
    task.cancel()
    await asyncio.wait([task])
