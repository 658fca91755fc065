"""How the system was, minute by minute for a day and hour by hour for months: samples for the charts.

Before it: what was counted (`orchestra.monitoring.metrics`). After it: `orchestra.monitoring.charts`. Applications add
the figures that they know; a sample is made by one transaction, whichever of several beats asks for it, and by the same
one old samples go.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from orchestra.monitoring.metrics.declared import Counter, Histogram
from orchestra.monitoring.metrics.keeping import keep
from orchestra.monitoring.models import MetricSeries, Resolution, SystemMetric

SAMPLE_LOCK = 0x0E5BACE8
"""The database's lock of whoever samples."""

Totals = list[float]


@dataclass(frozen=True, slots=True)
class Figure(ABC):
    """A line of a chart: its name in samples, what a person calls it, and its unit."""

    name: str
    label: str
    unit: str

    @abstractmethod
    def total(self) -> Totals:
        """Return what was counted until now; nothing for a state."""

    @abstractmethod
    def between(self, before: Totals, after: Totals, minutes: float) -> float | None:
        """Return the figure for the time between two totals; None where nothing can be said."""

    def over(self, values: Sequence[float | None], counted: float | None) -> float | None:
        """Return the figure of an hour, from its minutes' and from what was counted in it as a whole."""
        return counted


@dataclass(frozen=True, slots=True)
class Rate(Figure):
    """How many a minute. `counts` says of which series by their labels; empty: of all."""

    counter: Counter
    values: tuple[str, ...] = ()
    place: int = 0

    def total(self) -> Totals:
        """Return how many there were."""
        return [
            sum(
                counts[0]
                for labels, counts in _series(self.counter.name)
                if not self.values or labels[self.place] in self.values
            )
        ]

    def between(self, before: Totals, after: Totals, minutes: float) -> float | None:
        """Return how many a minute."""
        if not before or after[0] < before[0]:
            return None
        return round((after[0] - before[0]) / minutes, 3)


@dataclass(frozen=True, slots=True)
class Quantile(Figure):
    """Within how many milliseconds 95 of 100 ended, as exact as the bounds of the histogram."""

    histogram: Histogram
    share: float = 0.95

    def total(self) -> Totals:
        """Return the counts between bounds, of all series together."""
        width = len(self.histogram.bounds) + 1
        kept = [counts[:width] for _, counts in _series(self.histogram.name) if len(counts) == width + 1]
        return [sum(column) for column in zip(*kept, strict=True)] if kept else [0.0] * width

    def between(self, before: Totals, after: Totals, minutes: float) -> float | None:
        """Return the time in milliseconds, drawn straight between two bounds; above the last one, that one."""
        if len(before) != len(after):
            return None
        counts = [new - old for old, new in zip(before, after, strict=True)]
        if min(counts) < 0 or not sum(counts):
            return None
        return quantile(self.histogram.bounds, counts, self.share)


@dataclass(frozen=True, slots=True)
class Level(Figure):
    """A state at the moment of the sample; of an hour, the highest."""

    read: Callable[[], float | None]
    scale: float = 1.0

    def total(self) -> Totals:
        """Return nothing: a state has no total."""
        return []

    def between(self, before: Totals, after: Totals, minutes: float) -> float | None:
        """Return the state now."""
        value = self.read()
        return None if value is None else round(value * self.scale, 3)

    def over(self, values: Sequence[float | None], counted: float | None) -> float | None:
        """Return the highest."""
        return max((value for value in values if value is not None), default=None)


figures: list[Figure] = []
"""What is sampled; applications add theirs."""


def _series(name: str) -> list[tuple[list[str], list[float]]]:
    return list(MetricSeries.objects.filter(name=name).values_list("labels", "counts"))


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float:
    """Return in milliseconds below what `share` of the counts lie; `counts` has one more than there are bounds."""
    wanted, seen, lower = share * sum(counts), 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=False):
        if seen + count >= wanted and count:
            return round(1000 * (lower + (bound - lower) * (wanted - seen) / count), 1)
        seen, lower = seen + count, bound
    return round(1000 * bounds[-1], 1)


def sample() -> bool:
    """Keep this minute's sample, and this hour's when one has ended; return whether it was not there yet."""
    keep()
    with transaction.atomic():
        now = _now_if_ours()
        if now is None:
            return False
        minute = now.replace(second=0, microsecond=0)
        last = SystemMetric.objects.filter(resolution=Resolution.MINUTE).first()
        if last is not None and last.at >= minute:
            return False
        if last is not None and _hour(last.at) < _hour(minute):
            _keep_hour(last)
        _keep_minute(minute, last)
        _forget(now)
    return True


def _now_if_ours() -> datetime | None:
    """Return the database's time, or None while somebody else samples."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s), clock_timestamp()", [SAMPLE_LOCK])
        ours, now = cursor.fetchone()
    return now if ours else None


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _keep_minute(minute: datetime, last: SystemMetric | None) -> None:
    totals = {figure.name: figure.total() for figure in figures}
    SystemMetric.objects.create(
        resolution=Resolution.MINUTE,
        at=minute,
        totals=totals,
        figures=_between(last, totals, minute),
    )


def _between(before: SystemMetric | None, totals: dict[str, Totals], at: datetime) -> dict[str, float | None]:
    minutes = (at - before.at) / timedelta(minutes=1) if before is not None else 1.0
    earlier = before.totals if before is not None else {}
    return {
        figure.name: figure.between(earlier.get(figure.name, []), totals[figure.name], minutes) for figure in figures
    }


def _keep_hour(last: SystemMetric) -> None:
    """Make one sample of the minutes of the hour that `last` was the last one of."""
    hour = _hour(last.at)
    minutes = list(SystemMetric.objects.filter(resolution=Resolution.MINUTE, at__gte=hour, at__lte=last.at))
    before = (
        SystemMetric.objects.filter(resolution=Resolution.MINUTE, at__lt=hour).first()
        or SystemMetric.objects.filter(resolution=Resolution.HOUR).first()
    )
    length = (last.at - before.at) / timedelta(minutes=1) if before is not None else 1.0
    made: dict[str, float | None] = {}
    for figure in figures:
        earlier = before.totals.get(figure.name, []) if before is not None else []
        total = last.totals.get(figure.name, [])
        counted = figure.between(earlier, total, length) if total else None
        made[figure.name] = figure.over([each.figures.get(figure.name) for each in minutes], counted)
    SystemMetric.objects.update_or_create(
        resolution=Resolution.HOUR, at=hour + timedelta(hours=1), defaults={"figures": made, "totals": last.totals}
    )


def _forget(now: datetime) -> None:
    old = {Resolution.MINUTE: settings.HISTORY_MINUTES_KEPT, Resolution.HOUR: settings.HISTORY_HOURS_KEPT}
    for resolution, kept in old.items():
        SystemMetric.objects.filter(resolution=resolution, at__lt=now - kept).delete()
