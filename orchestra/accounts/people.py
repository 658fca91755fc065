"""What staff do with accounts and groups. Every change is checked here, whoever asks, and written down with it.

Staff act on everybody but administrators; to make somebody staff, and to hand out a group that carries permissions, is
for administrators. Nobody shuts themselves out, so that one administrator always remains.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from orchestra.accounts import audit, second_factor
from orchestra.accounts.errors import GroupNameRefused, GroupNotFound, NotAllowed, NotOnYourself, PersonNotFound
from orchestra.accounts.models import AuditAction, User

FOR_STAFF = "That is for staff."
_LONGEST_NAME = 150


def set_active(actor: User, person_id: UUID, *, active: bool) -> None:
    """Let somebody in, or shut them out and end whatever they were given."""
    with _changing(actor, person_id) as (_, person):
        if person.pk == actor.pk:
            raise NotOnYourself
        if person.is_active != active:
            person.is_active = active
            person.save(update_fields=["is_active"])
            _record(AuditAction.ACTIVATED if active else AuditAction.DEACTIVATED, person, actor)


def set_staff(actor: User, person_id: UUID, *, staff: bool) -> None:
    """Make somebody staff, or no longer."""
    with _changing(actor, person_id) as (acting, person):
        if person.pk == actor.pk:
            raise NotOnYourself
        if not acting.is_superuser or person.is_superuser:
            raise NotAllowed
        if person.is_staff != staff:
            person.is_staff = staff
            person.save(update_fields=["is_staff"])
            _record(AuditAction.STAFF_MADE if staff else AuditAction.STAFF_UNMADE, person, actor)


def set_quota(actor: User, person_id: UUID, quota: int | None) -> None:
    """Set how many bytes somebody may store; 0 is no limit, None what the installation gives."""
    with _changing(actor, person_id) as (_, person):
        person.storage_quota = quota
        person.save(update_fields=["storage_quota"])
        _record(AuditAction.QUOTA_CHANGED, person, actor)


def reset_second_factor(actor: User, person_id: UUID) -> bool:
    """Let somebody who lost the device in by the password alone; return whether there was a second factor."""
    with _changing(actor, person_id) as (_, person):
        if person.pk == actor.pk:
            raise NotOnYourself(hint="Switch it off under Account, with your password and a code.")
        return second_factor.reset(person)


def join(actor: User, person_id: UUID, group_id: int) -> None:
    """Take somebody into a group."""
    with _changing(actor, person_id) as (acting, person):
        group = group_for(acting, group_id)
        if not person.groups.filter(pk=group.pk).exists():
            person.groups.add(group)
            _record_of_group(AuditAction.GROUP_JOINED, group, actor, person)


def leave(actor: User, person_id: UUID, group_id: int) -> None:
    """Take somebody out of a group."""
    with _changing(actor, person_id) as (acting, person):
        group = group_for(acting, group_id)
        if person.groups.filter(pk=group.pk).exists():
            person.groups.remove(group)
            _record_of_group(AuditAction.GROUP_LEFT, group, actor, person)


def create_group(actor: User, name: str) -> Group:
    """Make a group. Raises GroupNameRefused, or NotAllowed."""
    if not actor.is_staff:
        raise NotAllowed(FOR_STAFF)
    group = Group(name=_checked(name))
    with _unless_taken():
        group.save()
        _record_of_group(AuditAction.GROUP_CREATED, group, actor)
    return group


def rename_group(actor: User, group_id: int, name: str) -> None:
    """Call a group otherwise. Raises GroupNameRefused."""
    with _unless_taken():
        group = group_for(actor, group_id)
        group.name = _checked(name)
        group.save(update_fields=["name"])
        _record_of_group(AuditAction.GROUP_RENAMED, group, actor)


def delete_group(actor: User, group_id: int) -> None:
    """Delete a group; what was shared with it is shared with its members no more."""
    with transaction.atomic():
        group = group_for(actor, group_id)
        _record_of_group(AuditAction.GROUP_DELETED, group, actor)
        group.delete()


def group_for(actor: User, group_id: int) -> Group:
    """Return a group that the actor may hand out. Raises GroupNotFound, or NotAllowed."""
    if not actor.is_staff:
        raise NotAllowed(FOR_STAFF)
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        raise GroupNotFound
    if not actor.is_superuser and group.permissions.exists():
        raise NotAllowed("This group carries permissions: it is for administrators.")
    return group


@contextmanager
def _changing(actor: User, person_id: UUID) -> Iterator[tuple[User, User]]:
    """Yield the actor and somebody whom they may change, both locked. Raises PersonNotFound, or NotAllowed."""
    with transaction.atomic():
        # The actor's row too, and both in one order: two administrators who shut each other out do so one after the
        # other, and the second is no longer one.
        both = User.objects.select_for_update(no_key=True).filter(pk__in={actor.pk, person_id}).order_by("pk")
        rows = {row.pk: row for row in both}
        acting, person = rows.get(actor.pk), rows.get(person_id)
        if acting is None or not acting.is_active or not acting.is_staff:
            raise NotAllowed(FOR_STAFF)
        if person is None:
            raise PersonNotFound
        if person.is_superuser and not acting.is_superuser:
            raise NotAllowed("Staff cannot change administrators.")
        yield acting, person


@contextmanager
def _unless_taken() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as exc:
        raise GroupNameRefused("There is a group of that name already.") from exc


def _checked(name: str) -> str:
    plain = " ".join(name.replace("\0", "").split())
    if not plain or len(plain) > _LONGEST_NAME:
        raise GroupNameRefused
    return plain


def _record(action: AuditAction, person: User, actor: User) -> None:
    audit.record(action, subject=f"user {person.pk}", owner_id=actor.pk)


def _record_of_group(action: AuditAction, group: Group, actor: User, person: User | None = None) -> None:
    of_whom = f" user {person.pk}" if person else ""
    audit.record(action, subject=f"group {group.pk}{of_whom}", owner_id=actor.pk)
