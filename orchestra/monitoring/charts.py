"""Samples as charts: lines to be drawn by a template, and the same figures as rows of a table.

Before it: `orchestra.monitoring.history`. A chart is a few hundred bytes of SVG in a box of WIDTH by HEIGHT; a time
without samples is a gap in its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestra.monitoring.history import Figure, Level, figures
from orchestra.monitoring.models import Resolution, SystemMetric

WIDTH, HEIGHT = 600, 140

Value = float | None
Sample = tuple[datetime, dict[str, Value]]


@dataclass(frozen=True, slots=True)
class Span:
    """How far back charts go: from which samples, and how many of them make one point."""

    key: str
    label: str
    resolution: Resolution
    length: timedelta
    step: timedelta


SPANS = (
    Span("hour", "Last hour", Resolution.MINUTE, timedelta(hours=1), timedelta(minutes=1)),
    Span("day", "Last 24 hours", Resolution.MINUTE, timedelta(days=1), timedelta(minutes=15)),
    Span("quarter", "Last 90 days", Resolution.HOUR, timedelta(days=90), timedelta(days=1)),
)
# What belongs into one box: the same unit, and figures that explain each other.
_GROUPS = (
    ("Throughput", ("files_ready", "passages"), "a minute"),
    ("Requests", ("requests",), "a minute"),
    ("Latency", ("search_ms", "request_ms"), "ms, 95 of 100 within"),
    ("Failures", ("files_failed", "request_errors", "search_errors"), "a minute"),
    ("Queue", ("queue",), "files waiting"),
    ("The longest wait", ("queue_oldest",), "s"),
    ("Memory", ("memory",), "MB"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A figure over time: SVG paths, one for each stretch without a gap, and what it is now."""

    label: str
    number: int
    paths: tuple[str, ...]
    last: Value
    highest: Value


@dataclass(frozen=True, slots=True)
class Chart:
    """One box: its lines, the value of its upper edge, and its times from left to right."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    top: float

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(line.paths for line in self.lines)


@dataclass(frozen=True, slots=True)
class Charts:
    """All boxes of a span, and the table behind them: a row for each point, newest first."""

    span: Span
    begins: datetime
    ends: datetime
    boxes: tuple[Chart, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[datetime, tuple[Value, ...]], ...]


def span_of(key: str) -> Span:
    """Return a span by its key; the day where there is none of that name."""
    return next((span for span in SPANS if span.key == key), SPANS[1])


def charts(span: Span, now: datetime) -> Charts:
    """Read the samples of a span that ends `now`."""
    begins = now - span.length
    kept = SystemMetric.objects.filter(resolution=span.resolution, at__gt=begins, at__lte=now)
    return drawn(span, now, list(kept.order_by("at").values_list("at", "figures")))


def drawn(span: Span, now: datetime, samples: Sequence[Sample]) -> Charts:
    """Put samples into boxes and rows."""
    begins = now - span.length
    points = list(_points(span, begins, samples))
    known = {figure.name: figure for figure in figures}
    boxes = tuple(
        _chart(title, unit, [known[name] for name in names if name in known], points) for title, names, unit in _GROUPS
    )
    columns = [known[name] for _, names, _ in _GROUPS for name in names if name in known]
    rows = tuple(
        (begins + place * span.step, tuple(values.get(figure.name) for figure in columns))
        for place, values in enumerate(points)
        if any(values.get(figure.name) is not None for figure in columns)
    )
    labels = tuple(f"{figure.label} ({figure.unit})" if figure.unit else figure.label for figure in columns)
    return Charts(span, begins, now, boxes, labels, rows[::-1])


def _points(span: Span, begins: datetime, samples: Sequence[Sample]) -> Iterable[dict[str, Value]]:
    """Yield for each step the mean of the samples in it, or the highest where the figure is a state."""
    steps: list[list[dict[str, Value]]] = [[] for _ in range(round(span.length / span.step))]
    for at, values in samples:
        steps[min(int((at - begins) / span.step), len(steps) - 1)].append(values)
    for found in steps:
        yield {figure.name: _together(figure, [values.get(figure.name) for values in found]) for figure in figures}


def _together(figure: Figure, values: Sequence[Value]) -> Value:
    there = [value for value in values if value is not None]
    if not there:
        return None
    return max(there) if isinstance(figure, Level) else round(sum(there) / len(there), 3)


def _chart(title: str, unit: str, shown: Sequence[Figure], points: Sequence[dict[str, Value]]) -> Chart:
    columns = [[point.get(figure.name) for point in points] for figure in shown]
    top = _round_up(max((value for column in columns for value in column if value is not None), default=0.0))
    lines = tuple(
        _line(figure.label, number, column, top)
        for number, (figure, column) in enumerate(zip(shown, columns, strict=True), 1)
    )
    return Chart(title, unit, lines, top)


def _line(label: str, number: int, values: Sequence[Value], top: float) -> Line:
    there = [value for value in values if value is not None]
    paths = tuple(_path(stretch, len(values), top) for stretch in _stretches(values))
    return Line(label, number, paths, there[-1] if there else None, max(there, default=None))


def _stretches(values: Sequence[Value]) -> Iterable[list[tuple[int, float]]]:
    """Yield the runs of points that have a value, with their places."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(run: Sequence[tuple[int, float]], points: int, top: float) -> str:
    """Return an SVG path; one point alone is a dash of its width."""
    width = WIDTH / points
    places = [(width * (place + 0.5), HEIGHT * (1 - value / top)) for place, value in run]
    if len(places) == 1:
        ((x, y),) = places
        places = [(x - width / 2, y), (x + width / 2, y)]
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, … above a value; 1 above nothing."""
    size = 1.0
    while size < value:
        size *= 10
    while value > 0 and size / 10 >= value and size > 0.01:
        size /= 10
    return next((size * share for share in (0.2, 0.5) if size * share >= value > 0), size)
