"""Counts in PostgreSQL: of several processes together, and none twice or lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from orchestra.monitoring.metrics import keeping
from orchestra.monitoring.metrics.declared import Counter, Histogram, of
from orchestra.monitoring.metrics.keeping import Keeper, keep, process_name
from orchestra.monitoring.metrics.pending import pending
from orchestra.monitoring.models import MetricSeries, ProcessReading

pytestmark = pytest.mark.django_db

counted = Counter("test_total", "Of tests.", {"of": of("a", "b")})
timed = Histogram("test_seconds", "Of tests.", {}, (0.1, 1.0))


def kept() -> dict[str, list[float]]:
    return {str(series): series.counts for series in MetricSeries.objects.filter(name__startswith="test_")}


def test_counts_are_added_to_those_of_before() -> None:
    for _ in range(2):
        counted.add("a", amount=2)
        counted.add("b")
        timed.observe(seconds=0.5)
        keep()

    assert kept() == {"test_total a": [4.0], "test_total b": [2.0], "test_seconds": [0.0, 2.0, 0.0, 1.0]}


def test_counts_of_a_version_with_other_bounds_are_begun_anew() -> None:
    MetricSeries.objects.create(name="test_seconds", labels=[], counts=[7.0] * 9, since=Now())
    timed.observe(seconds=0.5)
    keep()
    assert kept() == {"test_seconds": [0.0, 1.0, 0.0, 0.5]}


def test_what_cannot_be_written_is_written_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    counted.add("a")
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "_ADD", "SELECT 1 / 0")
        keep()
    assert kept() == {}
    counted.add("a")
    keep()
    assert kept() == {"test_total a": [2.0]}


def test_a_process_tells_of_itself_until_it_ends() -> None:
    keep("worker@here/1")
    keep("worker@here/1")
    keep("web@here/2")
    told = ProcessReading.objects.filter(name="orchestra_memory_bytes")
    assert sorted(told.values_list("process", flat=True)) == ["web@here/2", "worker@here/1"]
    assert all(reading.value > 1024**2 for reading in told)

    keep("worker@here/1", ended=True)
    assert list(told.values_list("process", flat=True)) == ["web@here/2"]


def test_what_a_process_said_that_was_killed_is_forgotten() -> None:
    keep("worker@here/1")
    ProcessReading.objects.update(seen_at=Now() - timedelta(seconds=61))
    keep("web@here/2")
    assert set(ProcessReading.objects.values_list("process", flat=True)) == {"web@here/2"}


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_at_once_neither_lose_counts_nor_wait_for_each_other() -> None:
    start = threading.Barrier(4)

    def write(order: tuple[str, str]) -> None:
        start.wait()
        for _ in range(25):
            keeping._add({("test_total", (value,)): [1.0] for value in order})
        connection.close()

    threads = [threading.Thread(target=write, args=(order,)) for order in (("a", "b"), ("b", "a")) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert kept() == {"test_total a": [100.0], "test_total b": [100.0]}


@pytest.mark.django_db(transaction=True)
def test_the_keeper_writes_what_is_left_when_it_stops() -> None:
    keeper: Any = Keeper()
    keeper.start("web")
    counted.add("a")
    keeper.stop()
    assert kept() == {"test_total a": [1.0]}
    assert not ProcessReading.objects.filter(process=process_name("web")).exists()
    assert pending.take() == {}
