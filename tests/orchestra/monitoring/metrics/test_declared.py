"""Figures: bounded labels, counts between bounds, what a fork inherits."""

from __future__ import annotations

import os
from time import perf_counter

import pytest

from orchestra.monitoring.metrics import http
from orchestra.monitoring.metrics.declared import OTHER, Counter, Histogram, MetricRegistry, metrics, of
from orchestra.monitoring.metrics.pending import pending

requests = Counter("test_total", "Of tests.", {"method": of("GET", "POST")})
durations = Histogram("test_seconds", "Of tests.", {"method": of("GET")}, (0.1, 1.0))


def test_what_was_not_declared_as_a_value_is_counted_as_other() -> None:
    for value in ("GET", "/files/secret.txt", "BREW"):
        requests.add(value)

    assert pending.take() == {("test_total", ("GET",)): [1.0], ("test_total", (OTHER,)): [2.0]}


def test_a_figure_has_all_of_its_labels_or_is_not_counted() -> None:
    with pytest.raises(ValueError, match="has the labels method"):
        requests.add()


def test_a_duration_is_counted_below_its_bound_and_in_the_sum() -> None:
    for seconds in (0.05, 0.1, 0.5, 30.0):
        durations.observe("GET", seconds=seconds)

    ((key, counts),) = pending.take().items()
    assert key == ("test_seconds", ("GET",))
    assert counts[:3] == [2.0, 1.0, 1.0]
    assert counts[3] == pytest.approx(30.65)


def test_no_figure_is_declared_twice() -> None:
    registry = MetricRegistry()
    registry.add(requests)
    with pytest.raises(ValueError, match="declared twice"):
        registry.add(requests)


def test_a_fork_does_not_count_again_what_its_parent_counted() -> None:
    requests.add("GET")
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, str(len(pending.take())).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"0"
    assert len(pending.take()) == 1
    os.close(reading)
    os.close(writing)


def test_what_is_put_back_is_added_to_what_came_meanwhile() -> None:
    requests.add("GET", amount=3)
    taken = pending.take()
    requests.add("GET")
    pending.put_back(taken)
    assert pending.take() == {("test_total", ("GET",)): [4.0]}


def test_every_label_of_every_figure_has_few_values() -> None:
    for metric in metrics.all():
        for label, values in metric.labels.items():
            most = 300 if label in ("route", "type") else 40
            assert 0 < len(values()) < most, f"{metric.name}: {label}"
            assert all(len(value) <= 80 for value in values())


def test_a_request_is_counted_in_some_microseconds() -> None:
    request = type("Request", (), {"resolver_match": None, "method": "GET"})()
    http.note(request, 200, 0.01)
    began = perf_counter()
    for _ in range(10_000):
        http.note(request, 200, 0.01)
    each = (perf_counter() - began) / 10_000
    assert each < 200e-6, f"{1e6 * each:.1f} µs"
