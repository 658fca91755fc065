"""Writes of accounts: administrators, API keys, socket tickets."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from orchestra.accounts import audit
from orchestra.accounts.models import ApiKey, AuditAction, User
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
    """Make a key for `user`. Its plain text is in the result and nowhere else."""
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


def issue_ticket(user: User) -> str:
    """Return a ticket that opens one socket for `user` within 30 seconds."""
    ticket = secrets.token_urlsafe(32)
    cache.set(_ticket_key(ticket), str(user.pk), TICKET_SECONDS)
    return ticket


def redeem_ticket(ticket: str) -> UUID | None:
    """Return the ticket's user id and use the ticket up; None when it is unknown, used or too old."""
    key = _ticket_key(ticket)
    user_id = cache.get(key)
    # delete() tells who was first, so that two sockets cannot share one ticket.
    return UUID(user_id) if user_id and cache.delete(key) else None


def _ticket_key(ticket: str) -> str:
    return "ticket:" + key_digest(ticket)
