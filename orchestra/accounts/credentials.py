"""With what a socket was opened, and whether that is still good: a socket lives on after the request that opened it.

`orchestra.accounts.sockets` finds it, tickets carry it from the one who asked, `files.feeds` asks again with each
heartbeat.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from rest_framework.request import Request
from rest_framework_simplejwt.tokens import Token

from orchestra.accounts.models import ApiKey, BrowserSession, User


@dataclass(frozen=True, slots=True)
class Credential:
    """Somebody in an epoch, and the one thing they showed: a session, an API key, or a token that ends (Unix time)."""

    user_id: UUID
    epoch: int
    session: UUID | None = None
    api_key: UUID | None = None
    ends_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as a ticket keeps it."""
        return {
            "user_id": self.user_id.hex,
            "epoch": self.epoch,
            "session": self.session and self.session.hex,
            "api_key": self.api_key and self.api_key.hex,
            "ends_at": self.ends_at,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return what `as_json` was made of."""
        ids = {name: UUID(values[name]) for name in ("user_id", "session", "api_key") if values[name]}
        return cls(**{**values, **ids})


def credential_of(user: User, *, auth: object = None, session_key: str | None = None) -> Credential:
    """Return what a user showed: `auth` as REST framework gives it, or a session's key."""
    rows = BrowserSession.objects.filter(session_id=session_key) if session_key else BrowserSession.objects.none()
    return Credential(
        user.pk,
        user.epoch,
        session=rows.values_list("pk", flat=True).first(),
        api_key=auth.pk if isinstance(auth, ApiKey) else None,
        ends_at=float(auth["exp"]) if isinstance(auth, Token) else None,
    )


def credential_of_request(request: Request, user: User) -> Credential:
    """Return what the user of an API's request showed."""
    session_key = request.session.session_key if request.auth is None else None
    return credential_of(user, auth=request.auth, session_key=session_key)


def still_good(shown: Iterable[Credential]) -> set[Credential]:
    """Return those that would be let in now."""
    all_shown = set(shown)
    epochs = dict(
        User.objects.filter(pk__in={one.user_id for one in all_shown}, is_active=True).values_list("pk", "epoch")
    )
    sessions = _sessions({one.session for one in all_shown if one.session})
    keys = _api_keys({one.api_key for one in all_shown if one.api_key})
    now = time.time()
    return {
        one
        for one in all_shown
        if epochs.get(one.user_id) == one.epoch
        and (one.session is None or one.session in sessions)
        and (one.api_key is None or one.api_key in keys)
        and (one.ends_at is None or one.ends_at > now)
    }


def _sessions(ids: set[UUID]) -> set[UUID]:
    if not ids:
        return set()
    lasting = BrowserSession.objects.filter(pk__in=ids, session__expire_date__gt=Now())
    return set(lasting.values_list("pk", flat=True))


def _api_keys(ids: set[UUID]) -> set[UUID]:
    if not ids:
        return set()
    lasting = Q(expires_at=None) | Q(expires_at__gt=Now())
    return set(ApiKey.objects.filter(lasting, pk__in=ids, revoked_at=None).values_list("pk", flat=True))
