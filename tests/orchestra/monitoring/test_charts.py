"""Charts of samples: points, gaps, edges, and the rows behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestra.monitoring import charts
from orchestra.monitoring.charts import SPANS, drawn, span_of

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR = SPANS[0]


def samples(values: dict[int, float | None], name: str = "memory") -> list[charts.Sample]:
    return [(NOW - timedelta(minutes=ago), {name: value}) for ago, value in sorted(values.items(), reverse=True)]


def box(found: charts.Charts, title: str) -> charts.Chart:
    return next(chart for chart in found.boxes if chart.title == title)


def test_a_time_without_samples_is_a_gap_in_the_line() -> None:
    memory = box(drawn(HOUR, NOW, samples({50: 10.0, 49: 20.0, 30: 20.0, 29: None})), "Memory")
    (line,) = memory.lines
    assert len(line.paths) == 2
    assert memory.top == 20.0
    assert line.paths[0] == "M105.0 70.0 L115.0 0.0"
    assert line.paths[1].count("L") == 1
    assert (line.last, line.highest) == (20.0, 20.0)


def test_nothing_is_drawn_of_nothing() -> None:
    found = drawn(HOUR, NOW, [])
    assert all(chart.empty for chart in found.boxes)
    assert found.rows == ()


def test_zeros_are_a_line_at_the_bottom() -> None:
    memory = box(drawn(HOUR, NOW, samples({3: 0.0, 2: 0.0})), "Memory")
    assert memory.lines[0].paths == (f"M575.0 {charts.HEIGHT:.1f} L585.0 {charts.HEIGHT:.1f}",)


@pytest.mark.parametrize(("name", "value"), [("memory", 30.0), ("search_ms", 20.0)])
def test_states_show_their_highest_and_rates_their_mean_in_a_point(name: str, value: float) -> None:
    found = drawn(span_of("day"), NOW, samples({10: 10.0, 9: 30.0, 8: 20.0}, name))
    ((_, values),) = found.rows
    assert [each for each in values if each is not None] == [value]


def test_rows_are_newest_first_and_as_many_as_points_with_something() -> None:
    found = drawn(HOUR, NOW, samples({50: 10.0, 49: 20.0, 1: 5.0}))
    assert [at for at, _ in found.rows] == [NOW - timedelta(minutes=ago) for ago in (1, 49, 50)]
    assert len(found.columns) == len(found.rows[0][1])


@pytest.mark.parametrize(
    ("value", "top"), [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (1.5, 2.0), (4.9, 5.0), (51.0, 100.0), (1200.0, 2000.0)]
)
def test_the_upper_edge_is_a_round_number(value: float, top: float) -> None:
    assert charts._round_up(value) == pytest.approx(top)
