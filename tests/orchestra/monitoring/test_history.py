"""Samples for the charts: what they say, when the hour is made, what is forgotten, two beats at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from orchestra.monitoring import history
from orchestra.monitoring.history import Level, Quantile, Rate, quantile, sample
from orchestra.monitoring.metrics.declared import Counter, Histogram, of
from orchestra.monitoring.models import Resolution, SystemMetric

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, 0, 7, tzinfo=UTC)
done = Counter("test_total", "Of tests.", {"kind": of("a", "b"), "outcome": of("good", "bad")})
took = Histogram("test_seconds", "Of tests.", {}, (0.1, 1.0))
level = [4.0]


@pytest.fixture(autouse=True)
def _figures(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [
        Rate("good", "Good", "a minute", done, ("good",), place=1),
        Rate("all", "All", "a minute", done),
        Quantile("ms", "95 of 100", "ms", took),
        Level("level", "Level", "", lambda: level[0]),
    ]
    monkeypatch.setattr(history, "figures", ours)
    level[0] = 4.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The database's time, as the sample is told it."""
    told = [NOON]
    monkeypatch.setattr(history, "_now_if_ours", lambda: told[0])
    return told


def rows(resolution: Resolution) -> list[SystemMetric]:
    return list(SystemMetric.objects.filter(resolution=resolution).order_by("at"))


def test_a_sample_says_what_came_since_the_one_before(clock: list[datetime]) -> None:
    done.add("a", "good", amount=5)  # before the first sample: nobody knows since when
    assert sample()
    clock[0] += timedelta(minutes=2)
    done.add("a", "good", amount=4)
    done.add("b", "bad", amount=2)
    for _ in range(10):
        took.observe(seconds=0.5)
    level[0] = 9.0
    assert sample()

    first, second = rows(Resolution.MINUTE)
    assert first.at == NOON.replace(second=0)
    assert first.figures == {"good": None, "all": None, "ms": None, "level": 4.0}
    assert second.figures == {"good": 2.0, "all": 3.0, "ms": 955.0, "level": 9.0}


def test_a_minute_has_one_sample_however_often_it_is_asked_for(clock: list[datetime]) -> None:
    assert sample()
    clock[0] += timedelta(seconds=50)
    assert not sample()
    assert len(rows(Resolution.MINUTE)) == 1


def test_counts_that_fell_say_nothing(clock: list[datetime]) -> None:
    from orchestra.monitoring.models import MetricSeries

    done.add("a", "good", amount=5)
    sample()
    MetricSeries.objects.all().delete()
    clock[0] += timedelta(minutes=1)
    sample()
    assert rows(Resolution.MINUTE)[-1].figures["good"] is None


def test_an_hour_is_made_once_of_its_minutes_and_of_all_that_was_counted_in_it(clock: list[datetime]) -> None:
    clock[0] = NOON - timedelta(minutes=1)
    sample()
    for minute in range(0, 60, 10):
        clock[0] = NOON + timedelta(minutes=minute)
        done.add("a", "good", amount=10)
        took.observe(seconds=0.05 if minute else 0.5)
        level[0] = float(minute)
        sample()
    for minute in (60, 61):
        clock[0] = NOON + timedelta(minutes=minute)
        sample()

    before, hour = rows(Resolution.HOUR)
    assert before.at == NOON.replace(second=0)
    assert hour.at == NOON.replace(second=0) + timedelta(hours=1)
    assert hour.figures["good"] == pytest.approx(60 / 51, abs=0.001)
    assert hour.figures["ms"] == quantile((0.1, 1.0), (5, 1, 0), 0.95)
    assert hour.figures["level"] == 50.0


def test_old_samples_go_with_the_next_one(clock: list[datetime], settings: Any) -> None:
    settings.HISTORY_MINUTES_KEPT, settings.HISTORY_HOURS_KEPT = timedelta(hours=2), timedelta(days=1)
    sample()
    clock[0] = NOON + timedelta(hours=3)
    sample()
    assert [row.at for row in rows(Resolution.MINUTE)] == [clock[0].replace(second=0)]
    assert len(rows(Resolution.HOUR)) == 1
    clock[0] = NOON + timedelta(days=3)
    sample()
    assert [row.at for row in rows(Resolution.HOUR)] == []


def test_a_beat_that_was_away_leaves_a_mean_and_no_jump(clock: list[datetime]) -> None:
    sample()
    done.add("a", "good", amount=120)
    clock[0] += timedelta(hours=2)
    sample()
    assert rows(Resolution.MINUTE)[-1].figures["good"] == 1.0


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_make_one_sample() -> None:
    start, made = threading.Barrier(4), []

    def beat() -> None:
        start.wait()
        made.append(sample())
        connection.close()

    threads = [threading.Thread(target=beat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(made) in (1, 2)  # 2: a minute began meanwhile
    assert len(rows(Resolution.MINUTE)) == sum(made)


@pytest.mark.parametrize(
    ("counts", "share", "milliseconds"),
    [((10, 0, 0), 0.5, 50.0), ((0, 10, 0), 0.5, 550.0), ((0, 0, 3), 0.95, 1000.0), ((1, 1, 0), 1.0, 1000.0)],
)
def test_a_quantile_lies_between_the_bounds(counts: tuple[int, ...], share: float, milliseconds: float) -> None:
    assert quantile((0.1, 1.0), counts, share) == milliseconds
