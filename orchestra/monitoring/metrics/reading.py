"""All figures as they stand, in Prometheus' text form: of every process of every machine, whichever web is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate, product
from math import prod

from django.db.models.functions import Now
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family

from orchestra.monitoring.metrics.declared import Counter, Gauge, Histogram, Metric, ProcessGauge, metrics
from orchestra.monitoring.metrics.keeping import FORGOTTEN_AFTER, keep
from orchestra.monitoring.models import MetricSeries, ProcessReading

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FEW = 24
Kept = dict[str, list[tuple[tuple[str, ...], list[float]]]]


def as_text() -> bytes:
    """Return everything that was declared, in the text form 0.0.4."""
    keep()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    return generate_latest(registry)


class _Collector:
    """What prometheus_client asks for the figures."""

    def collect(self) -> Iterator[Family]:
        """Yield each figure with all of its series."""
        kept, told = _kept(), _told()
        for metric in metrics.all():
            yield _family(metric, kept, told)


def _kept() -> Kept:
    series: Kept = defaultdict(list)
    for name, labels, counts in MetricSeries.objects.order_by("name", "labels").values_list("name", "labels", "counts"):
        series[name].append((tuple(labels), counts))
    return series


def _told() -> dict[str, dict[tuple[str, ...], list[float]]]:
    """Return what the processes that live said of themselves, by figure and labels."""
    told: dict[str, dict[tuple[str, ...], list[float]]] = defaultdict(lambda: defaultdict(list))
    fresh = ProcessReading.objects.filter(seen_at__gt=Now() - FORGOTTEN_AFTER)
    for name, labels, value in fresh.values_list("name", "labels", "value"):
        told[name][tuple(labels)].append(value)
    return told


def _family(metric: Metric, kept: Kept, told: dict[str, dict[tuple[str, ...], list[float]]]) -> Family:
    if isinstance(metric, Histogram):
        return _histogram(metric, kept.get(metric.name, []))
    if isinstance(metric, Counter):
        counter = CounterMetricFamily(metric.name, metric.sentence, labels=list(metric.labels))
        counted = {labels: counts[0] for labels, counts in _fitting(metric, kept.get(metric.name, []), 1)}
        for labels, count in {**_zeros(metric), **counted}.items():
            counter.add_metric(labels, count)
        return counter
    gauge = GaugeMetricFamily(metric.name, metric.sentence, labels=list(metric.labels))
    if isinstance(metric, Gauge):
        readings = ((metric.bounded(labels), value) for labels, value in metric.read())
    elif isinstance(metric, ProcessGauge):
        found = told.get(metric.name, {})
        readings = ((metric.bounded(labels), metric.combine(values)) for labels, values in found.items())
    for labels, value in readings:
        gauge.add_metric(labels, value)
    return gauge


def _zeros(metric: Counter) -> dict[tuple[str, ...], float]:
    """Return 0 for every series of a figure that has few: the first one counted is then an increase to Prometheus."""
    values = [sorted(values()) for values in metric.labels.values()]
    return dict.fromkeys(product(*values), 0.0) if prod(map(len, values)) <= _FEW else {}


def _histogram(metric: Histogram, series: Iterable[tuple[tuple[str, ...], list[float]]]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(metric.name, metric.sentence, labels=list(metric.labels))
    bounds = [*map(str, metric.bounds), "+Inf"]
    for labels, counts in _fitting(metric, series, len(bounds) + 1):
        reached = accumulate(counts[:-1])
        family.add_metric(labels, list(zip(bounds, reached, strict=True)), sum_value=counts[-1])
    return family


def _fitting(
    metric: Metric, series: Iterable[tuple[tuple[str, ...], list[float]]], width: int
) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """Leave out what another version of the product kept in another form."""
    return ((labels, counts) for labels, counts in series if len(labels) == len(metric.labels) and len(counts) == width)
