"""Invitations: a link with a code that makes one account. The code is shown once and kept as a digest."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from orchestra.accounts import audit
from orchestra.accounts.errors import InvitationInvalid, NotAllowed, UserNameTaken
from orchestra.accounts.models import AuditAction, Invitation, User
from orchestra.accounts.people import FOR_STAFF, group_for
from orchestra.accounts.services import key_digest

DAYS = 7
_LONGEST_NOTE = 100


@dataclass(frozen=True, slots=True)
class MadeInvitation:
    """A new invitation and its code, which is shown this once."""

    row: Invitation
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """How somebody who was invited wants to be called, and the password; all of it checked by the form."""

    username: str
    password: str = field(repr=False)
    first_name: str = ""
    last_name: str = ""
    email: str = ""


def make(actor: User, note: str, quota: int | None = None, groups: Iterable[int] = ()) -> MadeInvitation:
    """Invite one person, into groups. Raises NotAllowed, or GroupNotFound."""
    if not actor.is_staff:
        raise NotAllowed(FOR_STAFF)
    code = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = Invitation.objects.create(
            invited_by=actor,
            note=note.replace("\0", "")[:_LONGEST_NOTE],
            digest=key_digest(code),
            storage_quota=quota,
            expires_at=Now() + timedelta(days=DAYS),
        )
        row.groups.set([group_for(actor, group_id) for group_id in groups])
        audit.record(AuditAction.INVITED, subject=f"invitation {row.pk}", owner_id=actor.pk)
    row.refresh_from_db()
    return MadeInvitation(row, code)


def open_ones() -> QuerySet[Invitation]:
    """Return the invitations that still hold: not accepted, not too old, of somebody who is still staff."""
    return Invitation.objects.filter(
        accepted_at=None, expires_at__gt=Now(), invited_by__is_active=True, invited_by__is_staff=True
    )


def withdraw(actor: User, invitation_id: UUID) -> None:
    """End an invitation that was not accepted; one that is gone already is left alone. Raises NotAllowed."""
    if not actor.is_staff:
        raise NotAllowed(FOR_STAFF)
    with transaction.atomic():
        ended, _ = Invitation.objects.filter(pk=invitation_id, accepted_at=None).delete()
        if ended:
            audit.record(AuditAction.INVITATION_WITHDRAWN, subject=f"invitation {invitation_id}", owner_id=actor.pk)


def require_open(code: str) -> None:
    """Raise InvitationInvalid for a code that makes no account."""
    if not open_ones().filter(digest=key_digest(code)).exists():
        raise InvitationInvalid


def accept(code: str, new: NewPerson) -> User:
    """Make the account; of two who come with one code, one gets it. Raises InvitationInvalid, UserNameTaken."""
    with _unless_taken(), transaction.atomic():
        row = open_ones().filter(digest=key_digest(code)).select_for_update(of=("self",)).first()
        if row is None:
            raise InvitationInvalid
        user = User.objects.create_user(
            new.username,
            email=new.email,
            password=new.password,
            first_name=new.first_name,
            last_name=new.last_name,
            storage_quota=row.storage_quota,
        )
        user.groups.set(Group.objects.filter(invitations=row))
        Invitation.objects.filter(pk=row.pk).update(accepted_by=user, accepted_at=Now())
        audit.record(AuditAction.INVITATION_ACCEPTED, subject=f"invitation {row.pk}", owner_id=user.pk)
    return user


@contextmanager
def _unless_taken() -> Iterator[None]:
    """Tell of a name that somebody took since the form was looked at."""
    try:
        yield
    except IntegrityError as exc:
        raise UserNameTaken from exc
