"""Which figures there are. Applications declare theirs once, when they are loaded; nothing else is ever kept.

A label's values are listed where it is declared, and whatever else comes is counted as `other`: neither a client nor a
file can make a new series, and no name, content or question can become a label.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from orchestra.monitoring.metrics.pending import pending

OTHER = "other"
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds for what a person waits for. A change needs a new name: kept counts carry no bounds."""
LONG = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0)
"""The same for what happens to a file."""

Values = Callable[[], Collection[str]]
Reading = tuple[tuple[str, ...], float]
"""Values of the labels, and a figure."""


def of(*values: str) -> Values:
    """Return the values of a label that are known when it is declared."""
    return lambda: values


@dataclass(frozen=True)
class Metric:
    """A figure: its name for Prometheus, a sentence, and its labels with what each may be."""

    name: str
    sentence: str
    labels: Mapping[str, Values] = field(default_factory=dict)

    @cached_property
    def _allowed(self) -> tuple[frozenset[str], ...]:
        return tuple(frozenset(values()) for values in self.labels.values())

    @cached_property
    def _met(self) -> set[tuple[str, ...]]:
        """What was met and is allowed: most of what comes was there before."""
        return set()

    def bounded(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """Return the values of the labels, with `other` for those that were not declared."""
        if values in self._met:
            return values
        if len(values) != len(self._allowed):
            raise ValueError(f"{self.name} has the labels {', '.join(self.labels)}")
        allowed = zip(values, self._allowed, strict=True)
        bounded = tuple(value if value in known else OTHER for value, known in allowed)
        self._met.add(bounded)
        return bounded


class Counter(Metric):
    """What only grows."""

    def add(self, *values: str, amount: float = 1.0) -> None:
        """Count; `values` are those of the labels, in order."""
        pending.add(self.name, self.bounded(values), 0, amount, width=1)


@dataclass(frozen=True)
class Histogram(Metric):
    """How long something took: counts between bounds, and the sum of seconds."""

    bounds: tuple[float, ...] = QUICK

    def observe(self, *values: str, seconds: float) -> None:
        """Count one that took so long."""
        place = bisect_left(self.bounds, seconds)
        pending.add(self.name, self.bounded(values), place, 1.0, width=len(self.bounds) + 2, total=seconds)


@dataclass(frozen=True, kw_only=True)
class Gauge(Metric):
    """A state, asked for at each scrape: the same whichever process is asked."""

    read: Callable[[], Iterable[Reading]]


@dataclass(frozen=True, kw_only=True)
class ProcessGauge(Metric):
    """A state of each process, told by itself every few seconds and put together by `combine`."""

    read: Callable[[], Iterable[Reading]]
    combine: Callable[[Iterable[float]], float] = sum


M = TypeVar("M", bound=Metric)


class MetricRegistry:
    """All that was declared, by name."""

    def __init__(self) -> None:
        self._metrics: dict[str, Metric] = {}

    def add(self, metric: M) -> M:
        """Declare a figure, and return it."""
        if metric.name in self._metrics:
            raise ValueError(f"{metric.name} is declared twice")
        self._metrics[metric.name] = metric
        return metric

    def all(self) -> list[Metric]:
        """Return what was declared, by name."""
        return [self._metrics[name] for name in sorted(self._metrics)]


metrics = MetricRegistry()
