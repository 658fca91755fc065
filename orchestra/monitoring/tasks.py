"""Tasks that show that workers consume."""

from __future__ import annotations

import hashlib
import hmac
import time

from celery import Task, shared_task
from django.conf import settings
from django.core.cache import cache

from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessRole

PULSE_PREFIX = "pulse:"
PROOF_PREFIX = "pulse-proof:"


def proof_of(token: str) -> str:
    """Return what only a machine with the same keys can make of a token; it tells nothing about them."""
    keys = (settings.SECRET_KEY, settings.JWT_SIGNING_KEY, *settings.CREDENTIALS_KEYS)
    return hmac.new("\n".join(keys).encode(), token.encode(), hashlib.sha256).hexdigest()


@shared_task(name="orchestra.monitoring.tasks.pulse", bind=True, expires=30)
def pulse(self: Task[..., None], token: str) -> None:
    """Answer the token with the worker's name, and show that it has the keys of whoever asks."""
    cache.set(PROOF_PREFIX + token, proof_of(token), 30)
    cache.set(PULSE_PREFIX + token, str(self.request.hostname), 30)


@shared_task(name="orchestra.monitoring.tasks.canary", bind=True)
def canary(self: Task[..., None], sent: float, parent: int, slots: int) -> None:
    """Show a worker's sign of life; `sent` is this machine's monotonic clock, for the canary's time on its way."""
    milliseconds = round(1000 * (time.monotonic() - sent), 1)
    pulses.show(pulses.Sign(str(self.request.hostname), ProcessRole.WORKER, parent, slots, milliseconds))
