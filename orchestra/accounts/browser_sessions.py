"""Where a user is signed in: noted beside Django's sessions, listed on the account page, ended from there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.dispatch import receiver
from django.http import HttpRequest

from orchestra.accounts import audit
from orchestra.accounts.devices import device_in_words
from orchestra.accounts.models import AuditAction, BrowserSession, User
from orchestra.common.identifiers import new_id

_SEEN_EVERY = 60.0  # seconds
_MOST_REMEMBERED = 10_000
# From the session's row and not by its key: one that ends at this moment must not be noted again.
_NOTE = """
INSERT INTO accounts_browsersession AS b (id, session_id, user_id, device, address)
SELECT %s, s.session_key, %s, %s, %s FROM django_session s WHERE s.session_key = %s FOR KEY SHARE
ON CONFLICT (session_id) DO UPDATE SET
    seen_at = clock_timestamp(), device = excluded.device, address = excluded.address, user_id = excluded.user_id
"""

_seen: dict[str, float] = {}
"""When this process last wrote down that a session was seen; a hint that may be lost."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One of a user's sessions, and whether it is the one that asks."""

    row: BrowserSession
    is_this: bool


def note(request: HttpRequest, user: User) -> None:
    """Write down, once a minute, from where a session was used."""
    last = _seen.get(request.session.session_key or "")
    if last is None or time.monotonic() - last >= _SEEN_EVERY:
        _write(request, user)


def sessions_of(user: User, session_key: str | None) -> list[SignedIn]:
    """Return a user's sessions, the one with this key first."""
    rows = BrowserSession.objects.filter(user=user)
    return sorted((SignedIn(row, row.session_id == session_key) for row in rows), key=lambda one: not one.is_this)


def end(user: User, session_id: UUID) -> bool:
    """End one of the user's sessions; return whether there was such a one."""
    with transaction.atomic():
        ended, _ = Session.objects.filter(browser__user=user, browser__pk=session_id).delete()
        if ended:
            audit.record(AuditAction.SESSION_ENDED, subject=f"session {session_id}", owner_id=user.pk)
    return bool(ended)


def end_others(user: User, session_key: str | None) -> int:
    """End all of the user's sessions but the one with this key; return how many."""
    with transaction.atomic():
        others = Session.objects.filter(browser__user=user).exclude(pk=session_key or "")
        count = len(others.select_for_update(of=("self",)))
        others.delete()
        audit.record(AuditAction.SESSION_ENDED, subject=f"{count} others", owner_id=user.pk)
    return count


def _write(request: HttpRequest, user: User) -> None:
    if len(_seen) >= _MOST_REMEMBERED:
        _seen.clear()
    _seen[request.session.session_key or ""] = time.monotonic()
    device = device_in_words(request.META.get("HTTP_USER_AGENT", ""))
    address = request.META.get("REMOTE_ADDR", "")[:45]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [new_id(), user.pk, device, address, request.session.session_key])


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    # At once, and not with the first page: whoever ends all others must end those too that were never used.
    request.session.save()
    _write(request, user)
