"""Sends what `files.webhooks.outbox` wrote: signed, to each webhook one after the other, and again where it failed.

Whoever sends to a webhook holds it for a minute at most (`Webhook.quiet_until`), so that one address takes one process
at a time, and half of the workers stay for files; after a failure nobody asks it for a while. An attempt is counted,
and the next one planned, before anything is sent: whoever is killed meanwhile leaves a message that is due later. A
message may therefore come twice, with the same id. All times are the database's clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from files.hints import publish_webhook_hints
from files.models import DeliveryState, Webhook, WebhookDelivery, WebhookEvent
from files.webhooks import messages
from files.webhooks.subscribing import secret_of
from orchestra.common.errors import CredentialsUnreadable
from orchestra.common.identifiers import new_id
from orchestra.common.outbound.client import Call, stream
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused
from orchestra.monitoring import pulses

logger = structlog.get_logger(__name__)

PAUSES = tuple(timedelta(seconds=n) for n in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""After the first attempt, the second, …: those that Standard Webhooks names. What fails after these is given up."""
LONGEST_REST = timedelta(minutes=15)
"""No webhook that failed rests longer, however often it did: other messages to it may be due."""
KEPT = timedelta(days=30)
"""So long a message stays in the log, sent or not."""

_LEASE = timedelta(seconds=60)
_WORK_SECONDS = 30.0
_CALL_SECONDS = 10.0
_AT_ONCE = 500  # webhooks that one sweep sends hints for


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of a message, counted already. `moment` is the database's time."""

    delivery: WebhookDelivery
    webhook: Webhook
    number: int
    moment: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: the answer's status, or the code of why there was none."""

    status: int | None = None
    code: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def send_due(webhook_id: UUID) -> int:
    """Send what is due to a webhook, oldest first, until something fails. Return how many messages were delivered.

    Nothing is sent while another process sends to it, while it rests, or while as many are sent to as may be.
    """
    room = _room()
    lease = _hold(webhook_id) if room else None
    if lease is None:
        return 0
    delivered = _send_all(webhook_id)
    # Unless the last one failed, and let the webhook rest.
    Webhook.objects.filter(pk=webhook_id, quiet_until=lease).update(quiet_until=None)
    # For what was written after the last look, while its hint found the webhook held, and for who found no room.
    publish_webhook_hints(_webhooks_due(room))
    return delivered


def _send_all(webhook_id: UUID) -> int:
    delivered, until = 0, time.monotonic() + _WORK_SECONDS
    while time.monotonic() < until and (attempt := _begin(webhook_id)) is not None:
        if not _settle(attempt, send(attempt)):
            break
        delivered += 1
    return delivered


def sweep() -> int:
    """Send hints for all webhooks to which something is due: retries, and what lost its hint. Return for how many."""
    found = _webhooks_due(_AT_ONCE)
    publish_webhook_hints(found)
    return len(found)


def forget_old() -> int:
    """Delete messages from the log that are older than a month, sent or not. Return how many."""
    deleted, _ = WebhookDelivery.objects.filter(occurred_at__lt=Now() - KEPT).delete()
    return deleted


def ping(webhook: Webhook) -> WebhookDelivery:
    """Send a message that says nothing, once, and return its entry in the log, whatever came of it."""
    now = Webhook.objects.annotate(now=Now()).values_list("now", flat=True).get(pk=webhook.pk)
    delivery = WebhookDelivery(
        webhook=webhook, event_id=new_id(), event=WebhookEvent.PING, attempt=1, next_at=None, occurred_at=now
    )
    outcome = send(Attempt(delivery, webhook, 1, now))
    delivery.state = DeliveryState.DELIVERED if outcome.delivered else DeliveryState.FAILED
    delivery.response_status, delivery.error_code = outcome.status, outcome.code
    delivery.finished_at = Now()
    delivery.save()
    delivery.refresh_from_db()
    return delivery


def send(attempt: Attempt) -> Outcome:
    """Send a message and return what came of it. Redirects are not followed, and no answer is kept."""
    body = messages.body_of(attempt.delivery)
    try:
        headers = messages.headers_of(attempt.delivery.event_id, attempt.moment, body, secret_of(attempt.webhook))
        call = Call(attempt.webhook.url, "webhook", method="POST", headers=headers, body=body, seconds=_CALL_SECONDS)
        with stream(call) as answer:  # whose body is not read
            return Outcome(status=answer.status)
    except (OutboundRefused, OutboundFailed, CredentialsUnreadable) as exc:
        return Outcome(code=exc.code)


def _free() -> Q:
    """Return the condition that a webhook may be sent to now."""
    rested = Q(quiet_until=None) | Q(quiet_until__lte=Now())
    return rested & Q(enabled=True, owner__is_active=True)


def _due() -> QuerySet[WebhookDelivery]:
    """Return the messages that may be sent now."""
    free = Webhook.objects.filter(_free())
    return WebhookDelivery.objects.filter(state=DeliveryState.WAITING, next_at__lte=Now(), webhook__in=free)


def _webhooks_due(most: int) -> list[UUID]:
    """Return some of the webhooks to which something may be sent now: any, so that none comes before the others."""
    due = Webhook.objects.filter(pk__in=_due().order_by().values("webhook"))
    return list(due.order_by("?").values_list("pk", flat=True)[:most])


def _room() -> int:
    """Return to how many webhooks more may be sent: half of the workers stay for files, however slowly they answer.

    One that has failed is not counted: it takes one call, and then rests.
    """
    held = Webhook.objects.filter(quiet_until__gt=Now(), failing_since=None).count()
    return max(0, max(1, pulses.live_slots() // 2) - held)


def _hold(webhook_id: UUID) -> datetime | None:
    """Take the right to send to a webhook and return its end, which names it; None where it is not to be had."""
    with transaction.atomic():
        rows = Webhook.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        row = rows.filter(_free(), pk=webhook_id).annotate(now=Now()).first()
        if row is None:
            return None
        lease: datetime = row.now + _LEASE
        Webhook.objects.filter(pk=webhook_id).update(quiet_until=lease)
    return lease


def _begin(webhook_id: UUID) -> Attempt | None:
    """Count an attempt of the message that is due longest, plan the next one, and return it; None where none is due."""
    with transaction.atomic():
        rows = WebhookDelivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("webhook")
        due = rows.filter(webhook=webhook_id, state=DeliveryState.WAITING, next_at__lte=Now(), webhook__enabled=True)
        delivery = due.annotate(now=Now()).order_by("next_at", "id").first()
        if delivery is None:
            return None
        number = delivery.attempt + 1
        pause = PAUSES[min(number, len(PAUSES)) - 1]
        WebhookDelivery.objects.filter(pk=delivery.pk).update(attempt=number, next_at=Now() + pause)
    return Attempt(delivery, delivery.webhook, number, delivery.now)


def _settle(attempt: Attempt, outcome: Outcome) -> bool:
    """Record what came of an attempt, with the message and its webhook. Return whether it was delivered."""
    with transaction.atomic():
        # The webhook first, as who deletes it does.
        webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=attempt.webhook.pk).first()
        if webhook is None:
            return False
        _record(attempt, outcome)
        if outcome.delivered:
            Webhook.objects.filter(pk=webhook.pk).update(failures=0, failing_since=None)
        else:
            _note_failure(webhook, outcome)
    if not outcome.delivered:
        logger.info("webhook failed", webhook_id=str(webhook.pk), status=outcome.status, code=outcome.code)
    return outcome.delivered


def _record(attempt: Attempt, outcome: Outcome) -> None:
    """Write the outcome into the log, unless the message was begun again meanwhile."""
    current = WebhookDelivery.objects.filter(pk=attempt.delivery.pk, attempt=attempt.number)
    current.update(response_status=outcome.status, error_code=outcome.code)
    if outcome.delivered:
        current.update(state=DeliveryState.DELIVERED, next_at=None, finished_at=Now())
    elif attempt.number > len(PAUSES):
        current.update(state=DeliveryState.FAILED, next_at=None, finished_at=Now())


def _note_failure(webhook: Webhook, outcome: Outcome) -> None:
    """Let a webhook rest, longer each time; switch it off where it is gone, or failed for days on end."""
    rest = min(LONGEST_REST, PAUSES[0] * 2 ** min(webhook.failures, 10))
    row = Webhook.objects.filter(pk=webhook.pk)
    row.update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", Now()), quiet_until=Now() + rest)
    if outcome.status == HTTPStatus.GONE:
        row.update(enabled=False, disabled_reason="gone")
    else:
        long_ago = Now() - timedelta(days=settings.WEBHOOK_FAILING_DAYS)
        row.filter(failing_since__lte=long_ago).update(enabled=False, disabled_reason="failing")
