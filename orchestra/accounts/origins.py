"""Keeps other sites' pages from opening sockets with a user's cookie."""

from __future__ import annotations

from typing import Any

from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings


class AllowedOrigins:
    """ASGI wrapper: a browser's Origin must be one of ours. Programs, which send no cookie, may leave Origin out."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._validator = OriginValidator(application, [*settings.ALLOWED_HOSTS, *settings.CSRF_TRUSTED_ORIGINS])

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection."""
        headers = dict(scope["headers"])
        if b"origin" in headers:
            await self._validator(scope, receive, send)
        elif b"cookie" in headers:
            await WebsocketDenier()(scope, receive, send)
        else:
            await self._application(scope, receive, send)
