"""Tasks that show that workers consume, and the sample for the charts."""

from __future__ import annotations

import hashlib
import hmac
import time

from celery import Task, shared_task
from celery.signals import worker_process_init, worker_process_shutdown
from django.conf import settings
from django.core.cache import cache

from orchestra.monitoring import history, pulses
from orchestra.monitoring.metrics.keeping import keeper
from orchestra.monitoring.models import ProcessRole

PULSE_PREFIX = "pulse:"
PROOF_PREFIX = "pulse-proof:"


@worker_process_init.connect(weak=False)
def _begin(**_: object) -> None:
    keeper.start("worker")


@worker_process_shutdown.connect(weak=False)
def _end(**_: object) -> None:
    keeper.stop()


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


@shared_task(name="orchestra.monitoring.tasks.sample")
def sample() -> None:
    """Keep how the system is this minute, and forget what is too old."""
    history.sample()
