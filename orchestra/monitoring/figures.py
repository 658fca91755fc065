"""The figures that belong to no application: processes, their memory, requests."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Sum
from django.db.models.functions import Now

from orchestra.common.machine import memory_in_use
from orchestra.monitoring import pulses
from orchestra.monitoring.history import Level, Quantile, Rate, figures
from orchestra.monitoring.metrics import http
from orchestra.monitoring.metrics.declared import Gauge, ProcessGauge, Reading, metrics, of
from orchestra.monitoring.metrics.keeping import FORGOTTEN_AFTER, keeper
from orchestra.monitoring.models import ProcessReading, ProcessRole

_ROLES = of("web", "worker")

memory = metrics.add(
    ProcessGauge(
        "orchestra_memory_bytes",
        "Memory of the web's and the workers' processes and of what they have started.",
        {"role": _ROLES},
        read=lambda: [((keeper.role,), float(memory_in_use()))],
    )
)
processes = metrics.add(
    Gauge(
        "orchestra_processes",
        "Processes that told of themselves within a minute.",
        {"role": _ROLES},
        read=lambda: _processes(),  # noqa: PLW0108  # it is defined below
    )
)
signs = metrics.add(
    Gauge(
        "orchestra_signs_of_life",
        "Workers and beats that were heard of within a day, by whether they still are.",
        {"role": of(*ProcessRole.values), "state": of("live", "silent")},
        read=lambda: _signs(),  # noqa: PLW0108  # it is defined below
    )
)


def register() -> None:
    """Add what the charts show of these."""
    figures.extend(
        (
            Rate("requests", "Requests", "a minute", http.requests),
            Rate("request_errors", "Requests that broke", "a minute", http.requests, ("5xx",), place=2),
            Quantile("request_ms", "95 of 100 requests within", "ms", http.durations),
            Level("memory", "Memory", "MB", _memory, scale=1 / 1024**2),
        )
    )


def _processes() -> Iterator[Reading]:
    fresh = ProcessReading.objects.filter(seen_at__gt=Now() - FORGOTTEN_AFTER, name=memory.name).order_by()
    for labels, number in fresh.values_list("labels").annotate(number=Count("process", distinct=True)):
        yield tuple(labels), float(number)


def _signs() -> Iterator[Reading]:
    for role in ProcessRole:
        known = pulses.known(role)
        silent = sum(pulse.silent for pulse in known)
        yield (role.value, "live"), float(len(known) - silent)
        yield (role.value, "silent"), float(silent)


def _memory() -> float | None:
    fresh = ProcessReading.objects.filter(seen_at__gt=Now() - FORGOTTEN_AFTER, name=memory.name)
    found = fresh.aggregate(total=Sum("value"))["total"]
    return None if found is None else float(found)
