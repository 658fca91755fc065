"""Writes down who did what. Called by the services that do it, in their transaction: both are there, or neither.

Who asks and from where is taken from the context that the request's middleware has bound, as in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_save
from django.dispatch import receiver

from orchestra.accounts.models import AuditAction, AuditEvent, User

COLUMNS = ("at", "actor_id", "action", "subject", "address", "request_id")


def record(action: AuditAction, *, subject: str = "", owner_id: UUID | None = None) -> None:
    """Add a row. `owner_id` is whose thing it is: who acts, where the context names nobody else."""
    context = structlog.contextvars.get_contextvars()
    AuditEvent.objects.create(
        actor_id=_identity(context.get("user_id")) or owner_id,
        action=action,
        subject=subject[:200],
        address=str(context.get("ip") or "")[:45],
        request_id=str(context.get("request_id") or "")[:64],
    )


def exported(since: datetime | None = None) -> Iterator[tuple[str, ...]]:
    """Yield rows as text, oldest first, in the order of `COLUMNS`."""
    events = AuditEvent.objects.order_by("at", "id")
    if since is not None:
        events = events.filter(at__gte=since)
    for row in events.values_list(*COLUMNS).iterator(2_000):
        yield tuple(value.isoformat() if isinstance(value, datetime) else str(value or "") for value in row)


def _identity(value: object) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


@receiver(user_logged_out)
def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        record(AuditAction.SIGNED_OUT, owner_id=user.pk)


@receiver(post_save, sender=LogEntry)
def _changed_in_admin(instance: LogEntry, **_: Any) -> None:
    kind = instance.content_type.model if instance.content_type else "?"
    done = {1: "added", 2: "changed", 3: "deleted"}.get(instance.action_flag, "touched")
    record(AuditAction.CHANGED_IN_ADMIN, subject=f"{done} {kind} {instance.object_id}", owner_id=instance.user_id)
