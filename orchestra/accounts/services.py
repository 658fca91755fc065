"""Writes of accounts: administrators, API keys, socket tickets, the end of all of them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orchestra.accounts import audit
from orchestra.accounts.credentials import Credential, credential_of, still_good
from orchestra.accounts.models import ApiKey, AuditAction, User
from orchestra.common.errors import OrchestraError
from orchestra.common.lines import one_line

KEY_PREFIX = "orc_"
TICKET_SECONDS = 30


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """The account made at the first start; a generated password is stored nowhere but in `password_file`."""

    username: str
    password: str
    password_file: Path | None


@dataclass(frozen=True, slots=True)
class CreatedApiKey:
    """A new key and its one and only plain text."""

    record: ApiKey
    plain: str


class ExpiryPassed(OrchestraError):
    """The key would never open anything."""

    code: ClassVar[str] = "key_expiry_passed"
    status: ClassVar[int] = 400
    default_message: ClassVar[str] = "This time is over: the key would never open anything."
    default_hint: ClassVar[str] = "Write a time to come, or leave it out."


def ensure_administrator(username: str = "admin", password: str = "") -> FirstAdministrator | None:
    """Create the first administrator; an empty `password` is generated. Return None when there is a superuser."""
    with transaction.atomic():
        if User.objects.filter(is_superuser=True).exists():
            return None
        username = _free_name(username)
        path = None
        if not password:
            password = secrets.token_urlsafe(12)
            # The file comes first: a crash in between leaves a file without an account, never the reverse.
            path = _store_password(password)
        User.objects.create_superuser(username=username, email="", password=password)
    return FirstAdministrator(username, password, path)


def _free_name(wanted: str) -> str:
    """Return `wanted`, numbered when an ordinary user has that name."""
    taken = set(User.objects.filter(username__startswith=wanted).values_list("username", flat=True))
    return next(name for name in (wanted, *(f"{wanted}{n}" for n in range(2, len(taken) + 3))) if name not in taken)


def _store_password(password: str) -> Path:
    directory: Path = settings.STATE_DIR / "secrets"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / "admin_password"
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(password + "\n")
    return path


def key_digest(plain: str) -> str:
    """Return what is stored of a key. Plain SHA-256 is enough: the key has 256 random bits."""
    return hashlib.sha256(plain.encode()).hexdigest()


def create_api_key(user: User, name: str, expires_at: datetime | None = None) -> CreatedApiKey:
    """Make a key for `user`. Its plain text is in the result and nowhere else. Raises ExpiryPassed."""
    if expires_at is not None and expires_at <= timezone.now():
        raise ExpiryPassed(expires_at=[ExpiryPassed.default_message])
    plain = KEY_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        record = ApiKey.objects.create(
            user=user, name=one_line(name), prefix=plain[:10], digest=key_digest(plain), expires_at=expires_at
        )
        audit.record(AuditAction.KEY_CREATED, subject=f"key {record.pk}", owner_id=user.pk)
    return CreatedApiKey(record, plain)


def revoke_api_key(key: ApiKey) -> None:
    """End a key at once; it stays listed as revoked."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        with transaction.atomic():
            key.save(update_fields=["revoked_at"])
            audit.record(AuditAction.KEY_REVOKED, subject=f"key {key.pk}", owner_id=key.user_id)


def end_credentials(user: User) -> None:
    """End every session, token, ticket and API key of a user; sockets close with their next heartbeat."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(epoch=F("epoch") + 1)  # revokes the keys, see `User`
        user.refresh_from_db(fields=["epoch"])
        Session.objects.filter(browser__user=user).delete()
        audit.record(AuditAction.SIGNED_OUT_EVERYWHERE, subject=f"user {user.pk}", owner_id=user.pk)


def issue_ticket(user: User, shown: Credential | None = None) -> str:
    """Return a ticket that opens one socket for `user` within 30 seconds; it ends with what was shown to get it."""
    ticket = secrets.token_urlsafe(32)
    cache.set(_ticket_key(ticket), (shown or credential_of(user)).as_json(), TICKET_SECONDS)
    return ticket


def redeem_ticket(ticket: str) -> Credential | None:
    """Return what the ticket stands for and use it up; None when it is unknown, used, too old or was ended."""
    key = _ticket_key(ticket)
    kept = cache.get(key)
    # delete() tells who was first, so that two sockets cannot share one ticket.
    if not kept or not cache.delete(key):
        return None
    shown = Credential.from_json(kept)
    return shown if still_good([shown]) else None


def _ticket_key(ticket: str) -> str:
    return "ticket:" + key_digest(ticket)


def set_preference(user: User, name: str, value: str) -> None:
    """Keep one of a user's preferences, beside the others."""
    with transaction.atomic():
        row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        kept = row.preferences if isinstance(row.preferences, dict) else {}
        User.objects.filter(pk=user.pk).update(preferences={**kept, name: value})


def preference_of(user: User, name: str) -> object:
    """Return one of a user's preferences, whatever a client wrote there; None where there is none."""
    return user.preferences.get(name) if isinstance(user.preferences, dict) else None
