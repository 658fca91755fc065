"""Dashboard and alert rules name figures, labels and values that /metrics has, and no figure is left out of sight."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestra.monitoring.metrics.declared import OTHER, Histogram, Metric, metrics

FOLDER = Path("deploy/monitoring")
NOT_OURS = {"up"}
_SELECTOR = re.compile(r"\b((?:orchestra_\w+|up))(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\bby \(([^)]*)\)")
_LEGEND = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / "grafana-dashboard.json").read_text())["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Yield each expression, and the text that shows its labels."""
    for rule in alerts():
        yield rule["expr"], rule["annotations"]["summary"]
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]


def series() -> dict[str, Metric]:
    """Return every name that /metrics writes."""
    named: dict[str, Metric] = {}
    for metric in metrics.all():
        endings = ("_bucket", "_count", "_sum") if isinstance(metric, Histogram) else ("",)
        named.update({metric.name + ending: metric for ending in endings})
    return named


def wrong_in(expression: str, shown: str = "") -> list[str]:
    known, wrong, labels = series(), [], {"le"}
    for name, matchers in _SELECTOR.findall(expression):
        metric = known.get(name)
        if metric is None:
            wrong += [name] if name not in NOT_OURS else []
            continue
        labels |= set(metric.labels)
        for label, _, value in _MATCHER.findall(matchers):
            if label not in metric.labels:
                wrong.append(f"{name}: {label}")
            else:
                allowed = {*metric.labels[label](), OTHER}
                wrong += [f"{name}: {label}={each}" for each in value.split("|") if each not in allowed]
    used = {label.strip() for group in _GROUPING.findall(expression) for label in group.split(",")}
    return wrong + sorted((used | set(_LEGEND.findall(shown))) - labels)


def test_every_expression_names_what_is_there() -> None:
    found = list(expressions())
    assert len(found) > 25
    assert {expression: wrong for expression, shown in found if (wrong := wrong_in(expression, shown))} == {}


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("orchestra_queue_length", ""),
        ('orchestra_queue_jobs{status="queued"}', ""),
        ('orchestra_queue_jobs{state="waiting"}', ""),
        ("sum by (kind) (orchestra_queue_jobs)", ""),
        ("orchestra_queue_jobs", "{{kind}}"),
        ("rate(orchestra_search_seconds[5m])", ""),
    ],
)
def test_what_is_not_there_is_seen(expression: str, shown: str) -> None:
    assert wrong_in(expression, shown)


def test_every_figure_is_on_the_dashboard() -> None:
    shown = {name for panel in panels() for target in panel["targets"] for name, _ in _SELECTOR.findall(target["expr"])}
    assert {metric.name for name, metric in series().items() if name in shown} == {each.name for each in metrics.all()}


def test_every_alert_says_what_to_do_and_how_bad_it_is() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert len(rule["annotations"]["description"]) > 20, rule["alert"]
    assert len({rule["alert"] for rule in alerts()}) == len(alerts())


def test_the_panels_do_not_lie_on_each_other() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]
    assert len(set(places)) == len(places)
