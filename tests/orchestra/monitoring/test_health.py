"""The health addresses: open to anybody, and saying no more than good or bad."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orchestra.monitoring.checks import Outcome, registry

READY = ["database", "migrations", "redis", "storage"]


@pytest.mark.usefixtures("_redis")
@pytest.mark.parametrize("path", ["/api/health", "/api/health/ready"])
@pytest.mark.django_db
def test_ready_answers_anybody_with_good_or_bad_per_part(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": dict.fromkeys(READY, True)}
    assert response["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("_redis")
@pytest.mark.parametrize("broken", READY)
@pytest.mark.django_db
def test_one_failing_part_makes_it_unready_and_leaves_it_alive(
    client: Client, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setitem(registry._checks, broken, lambda: Outcome.failed("password=hunter2 refused", "Do something."))

    response = client.get("/api/health/ready")

    assert response.status_code == 503
    bad = {broken, "migrations"} if broken == "database" else {broken}
    assert response.json() == {"status": "unavailable", "checks": {name: name not in bad for name in READY}}
    assert client.get("/api/health/live").status_code == 200
    assert "hunter2" not in response.content.decode()


@pytest.mark.django_db
def test_a_check_that_breaks_is_a_failing_part_and_not_a_500(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> Outcome:
        raise RuntimeError("boom")

    monkeypatch.setitem(registry._checks, "redis", breaks)
    assert client.get("/api/health").status_code == 503


@pytest.mark.django_db
def test_live_asks_no_other_part(
    client: Client, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "run", None)
    with django_assert_num_queries(0):
        assert client.get("/api/health/live").json() == {"status": "ok"}


@pytest.mark.usefixtures("_redis")
@pytest.mark.django_db
def test_a_database_that_is_away_is_waited_for_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setitem(registry._checks, "database", lambda: Outcome.failed("away", "Start it."))
    monkeypatch.setitem(registry._checks, "migrations", lambda: asked.append("migrations"))

    answer = client.get("/api/health/ready").json()

    assert answer["checks"] == {"database": False, "migrations": False, "redis": True, "storage": True}
    assert asked == []
