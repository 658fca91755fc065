"""Django's HTTP handler with all of a request in one thread.

Django's own runs the chain of middleware as coroutines and goes into the request's thread and back for each part of it:
views and middleware are synchronous here, so that was more than a dozen switches for every request.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponseBase

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
