"""The support bundle: what is in it, and that neither secrets nor content are."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key
from orchestra.common.scrubbing import MASK
from orchestra.monitoring import bundle, report
from orchestra.monitoring.checks import Outcome, registry
from orchestra.monitoring.log_lines import harmless
from orchestra.settings.env import Environment
from search import services

CONTENT = ("zebrafish", "Ganges", "alice", "hunter")
SECRETS: dict[str, Any] = {
    "openai_api_key": "sk-planted-openai-0123456789",
    "metrics_token": "planted-token-0123456789-0123456789",
    "s3_secret_key": "planted-s3-0123456789",
    "credentials_keys": ("planted-credentials-0123456789-0123456789",),
    "database_url": "postgresql://somebody:planted-password@db.example.org:5432/orchestra",
    "redis_url": "redis://:planted-redis@cache.example.org:6379/0",
}
PLANTED = ("planted", "sk-planted", "somebody")


@pytest.fixture
def ill(alice: User, make_file: Callable[..., FileRecord], settings: Any, tmp_path: Path, monkeypatch: Any) -> str:
    """An installation with content in its tables and secrets in settings, checks and logs; returns an API key."""
    make_file(alice, b"The zebrafish lives in the Ganges.", "zebrafish.txt", tags=("Ganges",))
    assert pipeline.work("a worker")
    services.search(alice, "where does the zebrafish live")
    key = create_api_key(alice, "hunter").plain
    monkeypatch.setattr(report, "environment", lambda: Environment(**SECRETS))
    monkeypatch.setattr(bundle, "environment", lambda: Environment(**SECRETS))
    settings.STATE_DIR = tmp_path
    logs = tmp_path / "logs"
    logs.mkdir()
    lines = (
        "2026-05-04T12:00:00Z [info     ] file processed          [files.pipeline] attempt=1 name='zebrafish.txt'",
        f"2026-05-04T12:00:01Z [warning  ] attempt ended [files.pipeline] code=away error='key {settings.SECRET_KEY}'",
        "2026-05-04T12:00:02Z [error    ] zebrafish in a library's words [lxml.etree] code=1",
        f"2026-05-04T12:00:03Z [info     ] request_finished [django_structlog.middlewares.request] code=200 {key}",
        json.dumps(
            {"timestamp": "t", "level": "info", "logger": "search.services", "event": "searched", "q": "Ganges"}
        ),
        'Traceback (most recent call last): "The zebrafish lives in the Ganges."',
        "{ not json, zebrafish",
    )
    (logs / "worker.log").write_text("\n".join(lines))
    (logs / "postgres.log").write_text("STATEMENT: INSERT ... 'zebrafish'")
    said = f"refused with {SECRETS['openai_api_key']} and {settings.JWT_SIGNING_KEY}"
    checks = {"database": lambda: Outcome.passed("PostgreSQL answers."), "redis": lambda: Outcome.failed(said, "Look.")}
    monkeypatch.setattr(registry, "_checks", checks)
    return key


def parts_of(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


@pytest.mark.django_db(transaction=True)
def test_neither_secrets_nor_content_are_in_it_and_all_else_is(ill: str, tmp_path: Path, settings: Any) -> None:
    path = tmp_path / "bundle.zip"
    with pytest.raises(CommandError, match="1 of the parts above need attention"):
        call_command("doctor", "--bundle", str(path))

    parts = parts_of(path)
    assert set(parts) == {
        *("report.json", "settings.json", "packages.txt", "migrations.txt", "tables.json", "samples.json"),
        *("metrics.txt", "logs/worker.log"),
    }
    for name, text in parts.items():
        for secret in (*CONTENT, *PLANTED, ill, settings.SECRET_KEY, settings.JWT_SIGNING_KEY):
            assert secret not in text, f"{secret} in {name}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    checks = {check["name"]: check for check in json.loads(parts["report.json"])["checks"]}
    assert (checks["database"]["ok"], checks["redis"]["ok"]) == (True, False)
    chosen = json.loads(parts["settings.json"])
    assert chosen["OPENAI_API_KEY"] == {"value": MASK, "changed": True}
    assert chosen["DATABASE_URL"]["value"] == f"postgresql://{MASK}@db.example.org:5432/orchestra"
    assert chosen["MAX_FILE_SIZE"] == {"value": 2 * 1024**3, "changed": False}
    assert "Django==" in parts["packages.txt"]
    assert "[x] monitoring.0002_figures" in parts["migrations.txt"]
    assert {"files_filerecord", "search_vectorchunk"} <= {row["table"] for row in json.loads(parts["tables.json"])}
    assert 'orchestra_files_processed_total{outcome="ready",type="text/plain"} 1.0' in parts["metrics.txt"]
    assert parts["logs/worker.log"].splitlines() == [
        "2026-05-04T12:00:00Z info files.pipeline file processed attempt=1",
        "2026-05-04T12:00:01Z warning files.pipeline attempt ended code=away",
        "2026-05-04T12:00:03Z info django_structlog.middlewares.request request_finished code=200",
        "t info search.services searched",
    ]


@pytest.mark.django_db
def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_checks", {"database": lambda: Outcome.passed("Yes.")})
    path = tmp_path / "bundle.zip"
    path.write_text("mine")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("doctor", "--bundle", str(path))
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "zebrafish",
        "2026-05-04T12:00:00Z [info ] <b>zebrafish</b> [files.pipeline] code=1",
        "2026-05-04T12:00:00Z [info ] something [other.library] code=1",
        "{}",
        "[1]",
    ],
)
def test_what_is_not_known_to_be_harmless_is_left_out(line: str) -> None:
    assert harmless(line) == ""
