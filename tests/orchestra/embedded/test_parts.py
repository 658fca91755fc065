"""Parts that run apart: what they need, where they keep their records, and who brings the database up to date."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orchestra.accounts.models import User
from orchestra.embedded import database
from orchestra.embedded.console import Console
from orchestra.embedded.database import prepare_database, wait_for_database
from orchestra.embedded.errors import DatabaseNotReadyError
from orchestra.embedded.paths import PULSES
from orchestra.embedded.programs import product_programs
from orchestra.embedded.run_record import RunRecord, hold_run, part_directory, run_directories

ROOT = Path(__file__).resolve().parents[3]


def test_a_part_apart_refuses_to_run_on_servers_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "run", "--only", "worker"],
        cwd=ROOT,
        env={**os.environ, "STATE_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Set DATABASE_URL and REDIS_URL" in done.stderr
    assert not (tmp_path / "pgdata").exists()


def test_only_the_named_programs_are_started(tmp_path: Path) -> None:
    def names(web: int | None, *parts: str) -> list[str]:
        return [program.name for program in product_programs(tmp_path, web, 2, parts)]

    assert names(7, "web") == ["web"]
    assert names(None, "worker", "beat") == ["worker", "beat"]
    assert names(7, "web", "worker", "beat") == ["web", "worker", "beat"]


def test_two_workers_of_one_machine_have_names_and_signs_of_life_of_their_own(tmp_path: Path) -> None:
    first, second = (product_programs(tmp_path / name, None, 2, ["worker"])[0] for name in "ab")
    assert first.pulse is not None
    assert second.pulse is not None
    assert first.pulse.name in first.argv
    assert first.pulse.name != second.pulse.name
    assert first.pulse.parent == tmp_path / "a" / PULSES


def test_parts_of_one_state_directory_hold_it_side_by_side(tmp_path: Path) -> None:
    web, worker = part_directory(tmp_path, ["web"]), part_directory(tmp_path, ["worker"])
    with hold_run(web), hold_run(worker), hold_run(tmp_path):
        found = [RunRecord.read(directory) for directory in run_directories(tmp_path)]
        assert len({record.token for record in found if record}) == 3


def test_a_program_that_is_alone_prints_its_lines_as_they_are(tmp_path: Path) -> None:
    out = StringIO()
    console = Console(out, tmp_path, ["web"])
    console.line("web", '{"event": "hello"}')
    console.close()
    assert out.getvalue() == '{"event": "hello"}\n'
    assert (tmp_path / "web.log").read_text() == '{"event": "hello"}\n'


@pytest.fixture
def migrating_elsewhere(db: None) -> Iterator[psycopg.Connection[Any]]:
    facts = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{name: facts[name] for name in names if name in facts}, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [database._LOCK])
        yield other


@pytest.mark.django_db(transaction=True)
def test_who_prepares_waits_for_another_machine_that_does(migrating_elsewhere: psycopg.Connection[Any]) -> None:
    calls: list[str] = []

    def prepare() -> None:
        prepare_database("chosen by hand")
        calls.append("prepared")

    thread = threading.Thread(target=prepare)
    thread.start()
    thread.join(1.5)
    assert calls == []
    migrating_elsewhere.execute("SELECT pg_advisory_unlock(%s)", [database._LOCK])
    thread.join(60)
    assert calls == ["prepared"]
    assert User.objects.filter(is_superuser=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_ever_is_told_what_to_do(
    migrating_elsewhere: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    with pytest.raises(DatabaseNotReadyError, match="nobody brought it there") as caught:
        prepare_database()
    assert "manage.py prepare" in caught.value.hint


def test_a_part_waits_until_no_migration_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = iter([3, 1, 0])
    said: list[str] = []
    monkeypatch.setattr(database, "_missing_migrations", lambda: next(missing))
    monkeypatch.setattr(database, "_STEP", 0.001)
    wait_for_database(lambda: False, said.append)
    assert said == ["Waiting for 3 migrations: `manage.py prepare` applies them."]
    assert next(missing, None) is None


def test_a_part_that_waits_in_vain_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_missing_migrations", lambda: 1)
    with pytest.raises(DatabaseNotReadyError):
        wait_for_database(lambda: False, lambda _: None, patience=-1)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("", "will not do"), ("short", "will not do"), (None, "cannot be read")],
    ids=["empty", "weak", "missing"],
)
def test_a_password_file_that_will_not_do_stops_before_anything_is_done(
    tmp_path: Path, content: str | None, complaint: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CommandError, match=complaint):
        call_command("prepare", "--password-file", str(path))
