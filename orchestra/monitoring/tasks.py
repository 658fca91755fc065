"""Tasks that show that workers consume."""

from __future__ import annotations

import time

from celery import Task, shared_task
from django.core.cache import cache

from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessRole

PULSE_PREFIX = "pulse:"


@shared_task(name="orchestra.monitoring.tasks.pulse", bind=True, expires=30)
def pulse(self: Task[..., None], token: str) -> None:
    """Answer the token with the worker's name."""
    cache.set(PULSE_PREFIX + token, str(self.request.hostname), 30)


@shared_task(name="orchestra.monitoring.tasks.canary", bind=True)
def canary(self: Task[..., None], sent: float, parent: int, slots: int) -> None:
    """Show a worker's sign of life; `sent` is this machine's monotonic clock, for the canary's time on its way."""
    milliseconds = round(1000 * (time.monotonic() - sent), 1)
    pulses.show(pulses.Sign(str(self.request.hostname), ProcessRole.WORKER, parent, slots, milliseconds))
