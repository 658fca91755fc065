"""A support bundle: all that somebody elsewhere needs to see why an installation is ill, without secrets or content.

Each part is text; what this installation knows as a secret is taken out of all of them once more at the end.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from orchestra.common.scrubbing import MASK
from orchestra.monitoring import findings
from orchestra.monitoring.checks import CheckResult
from orchestra.monitoring.log_lines import last_lines
from orchestra.monitoring.models import SystemMetric
from orchestra.monitoring.report import masked, report
from orchestra.settings.env import Environment, environment
from orchestra.settings.secrets import is_secret

LOG_LINES = 500
_SAMPLES = 1500
_TABLES = """
SELECT c.relname, c.reltuples::bigint, pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'm') ORDER BY 1
"""


def write(path: Path, results: list[CheckResult]) -> list[str]:
    """Write a bundle with what checks have just found; return the names of its parts. Raises FileExistsError, OSError.

    Nobody but the account that writes it may read it.
    """
    findings.keep(results)
    parts: dict[str, Callable[[], str]] = {
        "report.json": lambda: _as_json(report()),
        "settings.json": lambda: _as_json(_settings()),
        "packages.txt": _packages,
        "migrations.txt": _migrations,
        "tables.json": lambda: _as_json(_tables()),
        "samples.json": lambda: _as_json(_samples()),
        "metrics.txt": _metrics,
        **{f"logs/{log.name}": lambda log=log: _log(log) for log in _logs()},  # type: ignore[misc]  # bound at once
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, made in parts.items():
            bundle.writestr(name, masked(made()))
    return list(parts)


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)


def _settings() -> dict[str, Any]:
    """Return every setting with whether it was changed; of secrets, whether there is one."""
    told: dict[str, Any] = {}
    for name, field in Environment.model_fields.items():
        value = getattr(environment(), name)
        shown = (MASK if value else "") if is_secret(name) else _without_password(value)
        told[(field.alias or name).upper()] = {"value": shown, "changed": value != field.default}
    return told


def _without_password(value: object) -> object:
    if not isinstance(value, str) or "://" not in value:
        return value
    parts = urlsplit(value)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{MASK}@{place}" if "@" in parts.netloc else place, parts.path, "", ""))


def _packages() -> str:
    return "\n".join(sorted({f"{each.metadata['Name']}=={each.version}" for each in distributions()}, key=str.lower))


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    pending = {(migration.app_label, migration.name) for migration, _ in plan}
    every = sorted({*executor.loader.applied_migrations, *pending})
    return "\n".join(f"[{' ' if (app, name) in pending else 'x'}] {app}.{name}" for app, name in every)


def _tables() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [{"table": name, "rows_about": rows, "bytes": size} for name, rows, size in cursor.fetchall()]


def _samples() -> list[dict[str, Any]]:
    newest = SystemMetric.objects.values_list("at", "resolution", "figures")[:_SAMPLES]
    return [{"at": at, "resolution": resolution, **figures} for at, resolution, figures in newest]


def _metrics() -> str:
    from orchestra.monitoring.metrics import reading

    return reading.as_text().decode()


def _logs() -> list[Path]:
    """Return the programs' own logs; those of PostgreSQL may quote statements, and with them content."""
    return [log for name in ("web", "worker", "beat") if (log := settings.STATE_DIR / "logs" / f"{name}.log").is_file()]


def _log(path: Path) -> str:
    return "\n".join(last_lines(path, LOG_LINES))
