"""Reads of webhooks. Every one is scoped to its owner: another's id is an unknown id."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from files.errors import WebhookNotFound
from files.models import Webhook, WebhookDelivery
from orchestra.accounts.models import User


def webhooks_of(user: User) -> QuerySet[Webhook]:
    """Return the user's webhooks, newest first."""
    return Webhook.objects.filter(owner=user)


def get_webhook(user: User, webhook_id: UUID) -> Webhook:
    """Return one webhook of the user's. Raises WebhookNotFound."""
    found = webhooks_of(user).filter(pk=webhook_id).first()
    if found is None:
        raise WebhookNotFound
    return found


def deliveries_of(webhook: Webhook) -> QuerySet[WebhookDelivery]:
    """Return what was sent to a webhook, or waits to be, newest first."""
    return WebhookDelivery.objects.filter(webhook=webhook)
