"""Keeps other sites' pages from opening sockets with a user's cookie, and from speaking to what is for programs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings

from orchestra.common.errors import OrchestraError


class OriginRefused(OrchestraError):
    """A page of another site asks."""

    code = "origin_refused"
    status = 403
    default_message = "Pages of other sites may not ask this."
    default_hint = "Ask from a program, or add the page's origin to CSRF_TRUSTED_ORIGINS."


class AllowedOrigins:
    """ASGI wrapper: a browser's Origin must be one of ours. Programs, which send no cookie, may leave Origin out."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._validator = _validator(application)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection."""
        headers = dict(scope["headers"])
        if b"origin" in headers:
            await self._validator(scope, receive, send)
        elif b"cookie" in headers:
            await WebsocketDenier()(scope, receive, send)
        else:
            await self._application(scope, receive, send)


def require_own_origin(origin: str | None) -> None:
    """Raise OriginRefused for the Origin of a browser's page that is not ours. Programs send none."""
    if origin is None:
        return
    try:
        ours = _validator(None).valid_origin(urlparse(origin))
    except ValueError as exc:  # no port, no address
        raise OriginRefused from exc
    if not ours:
        raise OriginRefused


def _validator(application: Any) -> Any:
    return OriginValidator(application, [*settings.ALLOWED_HOSTS, *settings.CSRF_TRUSTED_ORIGINS])
