"""A task that shows that workers consume."""

from __future__ import annotations

from celery import Task, shared_task
from django.core.cache import cache

PULSE_PREFIX = "pulse:"


@shared_task(name="orchestra.monitoring.tasks.pulse", bind=True, expires=30)
def pulse(self: Task[..., None], token: str) -> None:
    """Answer the token with the worker's name."""
    cache.set(PULSE_PREFIX + token, str(self.request.hostname), 30)
