"""Django's HTTP handler with all of a request in one thread.

Django's own runs the chain of middleware as coroutines and goes into the request's thread and back for each part of it:
views and middleware are synchronous here, so that was more than a dozen switches for every request.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponseBase


class ThreadHandler(ASGIHandler):
    """Serves each request by the synchronous chain of middleware, in a thread of its own."""

    def load_middleware(self, is_async: bool = True) -> None:
        """Build the chain as a server without coroutines would."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Run the chain in the request's thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)
