"""Who opens a socket: session cookie, JWT in the Authorization header, or a one-time ticket in the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.sessions import SessionMiddlewareStack
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import InvalidToken

from orchestra.accounts import second_factor
from orchestra.accounts.authentication import KEYWORD, TokenAuthentication, key_of
from orchestra.accounts.credentials import Credential, credential_of
from orchestra.accounts.models import User
from orchestra.accounts.services import redeem_ticket

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application


@dataclass(frozen=True, slots=True)
class Principal:
    """Who opened a socket, and with what; it is closed when that ends."""

    user: User
    shown: Credential


class SocketPrincipal:
    """ASGI wrapper that puts a Principal into ``scope["principal"]``; None when there is nobody."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection."""
        scope["principal"] = await _principal(scope)
        await self._application(scope, receive, send)


def with_principal(application: Any) -> ASGI3Application:
    """Wrap a socket application with sessions and the resolver above."""
    return SessionMiddlewareStack(SocketPrincipal(application))  # type: ignore[no-any-return]  # channels is untyped


async def _principal(scope: dict[str, Any]) -> Principal | None:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    if "ticket" in query:
        found: Principal | None = await _by_ticket(query["ticket"][0])
    elif header:
        found = await _by_header(header)
    else:
        found = await _by_session(scope)
    return found


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _by_ticket(ticket: str) -> Principal | None:
    shown = redeem_ticket(ticket)
    user = User.objects.filter(pk=shown.user_id, is_active=True).first() if shown else None
    return Principal(user, shown) if user and shown else None


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _by_header(header: str) -> Principal | None:
    keyword, _, value = header.partition(" ")
    if keyword.lower() == KEYWORD.lower():
        key = key_of(value.strip())
        return Principal(key.user, credential_of(key.user, auth=key)) if key else None
    try:
        token = TokenAuthentication().get_validated_token(value.strip().encode())
        user = TokenAuthentication().get_user(token)
    except (InvalidToken, AuthenticationFailed):
        return None
    return Principal(user, credential_of(user, auth=token))


async def _by_session(scope: dict[str, Any]) -> Principal | None:
    from channels.auth import get_user

    user = await get_user(scope)
    return await _of_session(user, scope["session"].session_key) if isinstance(user, User) else None


@database_sync_to_async  # type: ignore[untyped-decorator]  # channels is untyped
def _of_session(user: User, session_key: str) -> Principal | None:
    if second_factor.is_missing(user):
        return None
    return Principal(user, credential_of(user, session_key=session_key))
