"""Writes of webhooks: made, changed, tried, deleted. The API and the admin call these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from files.errors import TooManyWebhooks, WebhookInvalid
from files.models import Webhook, WebhookEvent
from files.webhooks.messages import new_secret
from orchestra.accounts.models import User
from orchestra.common.identifiers import new_id
from orchestra.common.outbound.client import host_of
from orchestra.common.outbound.errors import OutboundRefused
from orchestra.common.sealing import Credentials, seal, unseal

EVENTS = [event.value for event in WebhookEvent if event != WebhookEvent.PING]
"""What a webhook may be told."""

_MOST_WEBHOOKS = 10
_NAME = "secret"


@dataclass(frozen=True, slots=True)
class CreatedWebhook:
    """A new webhook and its secret, which is shown this once."""

    webhook: Webhook
    secret: str = field(repr=False)


def create(owner: User, url: str, events: Iterable[str]) -> CreatedWebhook:
    """Make a webhook; nothing is sent yet. Raises WebhookInvalid, or TooManyWebhooks."""
    _check(url)
    secret = new_secret()
    row = Webhook(id=new_id(), owner=owner, url=url, events=_distinct(events))
    row.secret = seal(Credentials({_NAME: secret}), row.pk)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # counts in turn
        if Webhook.objects.filter(owner=owner).count() >= _MOST_WEBHOOKS:
            raise TooManyWebhooks
        row.save()
    row.refresh_from_db(fields=["created_at"])
    return CreatedWebhook(row, secret)


def change(
    webhook: Webhook, *, url: str | None = None, events: Iterable[str] | None = None, enabled: bool | None = None
) -> Webhook:
    """Change what is given. One that is switched on begins anew, whatever failed before. Raises WebhookInvalid."""
    if url is not None:
        _check(url)
    with transaction.atomic():
        row = Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)
        row.url = row.url if url is None else url
        row.events = row.events if events is None else _distinct(events)
        row.enabled = row.enabled if enabled is None else enabled
        if enabled:
            row.disabled_reason, row.failures, row.failing_since, row.quiet_until = "", 0, None, None
        row.save()
    return row


def delete(webhook: Webhook) -> None:
    """Delete a webhook with its log; what still waits is not sent."""
    with transaction.atomic():
        # Whoever writes a message to it just now comes first: it would be left without its webhook.
        Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
        webhook.delete()


def secret_of(webhook: Webhook) -> str:
    """Return the secret. Raises CredentialsUnreadable."""
    return unseal(bytes(webhook.secret), webhook.pk).values[_NAME]


def _check(url: str) -> None:
    """Raise WebhookInvalid for what is no address of the web. Where it leads is looked at when something is sent."""
    try:
        host_of(url)
    except OutboundRefused as exc:
        raise WebhookInvalid(exc.message) from exc


def _distinct(events: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(events))
