"""Who opens a socket: session cookie, JWT in the Authorization header, or a one-time ticket in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.sessions import SessionMiddlewareStack
from django.contrib.auth.models import AnonymousUser
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken

from orchestra.accounts.authentication import KEYWORD, user_of_api_key
from orchestra.accounts.models import User
from orchestra.accounts.services import redeem_ticket

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application


class SocketPrincipal:
    """ASGI wrapper that puts the user into ``scope["user"]``; AnonymousUser when there is none."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection."""
        scope["user"] = await _principal(scope)
        await self._application(scope, receive, send)


def with_principal(application: Any) -> ASGI3Application:
    """Wrap a socket application with sessions and the resolver above."""
    return SessionMiddlewareStack(SocketPrincipal(application))  # type: ignore[no-any-return]  # channels is untyped


async def _principal(scope: dict[str, Any]) -> User | AnonymousUser:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    if "ticket" in query:
        user: User | AnonymousUser = await _by_ticket(query["ticket"][0])
    elif header:
        user = await _by_header(header)
    else:
        user = await _by_session(scope)
    return user


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _by_ticket(ticket: str) -> User | AnonymousUser:
    user_id = redeem_ticket(ticket)
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    return user or AnonymousUser()


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _by_header(header: str) -> User | AnonymousUser:
    keyword, _, value = header.partition(" ")
    if keyword.lower() == KEYWORD.lower():
        return user_of_api_key(value.strip()) or AnonymousUser()
    jwt = JWTAuthentication()
    try:
        return jwt.get_user(jwt.get_validated_token(value.strip().encode()))  # type: ignore[return-value]  # our User
    except (InvalidToken, AuthenticationFailed):
        return AnonymousUser()


async def _by_session(scope: dict[str, Any]) -> User | AnonymousUser:
    from channels.auth import get_user

    return await get_user(scope)  # type: ignore[no-any-return]  # channels is untyped
