"""Checks of what everything stands on: PostgreSQL, pgvector, migrations, Redis, worker, clock, disk, figures."""

from __future__ import annotations

import secrets
import shutil
import time
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from orchestra.common import failpoints
from orchestra.monitoring import pulses
from orchestra.monitoring.checks import Outcome, registry
from orchestra.monitoring.floors import server
from orchestra.monitoring.metrics import access
from orchestra.monitoring.models import ProcessRole
from orchestra.monitoring.pulses import Pulse
from orchestra.monitoring.verification import Level, invariants

_WORKER_SECONDS = 8.0
_REDIS_SECONDS = 5.0
_CLOCK_SKEW = 5.0
_LOW_DISK = 1024**3
_KEYS = (
    "Write them into the settings, the same on all machines: sessions, tokens and messages go from one to the other."
)


def register() -> None:
    """Register these checks."""
    registry.add("database", check_database)
    registry.add("pgvector", check_pgvector)
    registry.add("migrations", check_migrations)
    registry.add("redis", check_redis)
    registry.add("worker", check_worker)
    registry.add("beat", check_beat)
    registry.add("clock", check_clock)
    registry.add("failpoints", check_failpoints)
    registry.add("invariants", check_invariants)
    registry.add("disk", check_disk)
    registry.add("metrics", access.check)


def check_database() -> Outcome:
    """Ask PostgreSQL for its version."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), current_setting('synchronous_commit')")
            version, synchronous = cursor.fetchone()
    except DatabaseError as exc:
        remedy = "Start it with `make run`, or write DATABASE_URL as postgresql://user:password@host:5432/name."
        return Outcome.failed(f"PostgreSQL does not answer: {' '.join(str(exc).split())}", remedy)
    if synchronous == "off":
        remedy = "Set synchronous_commit = on: an acknowledged chunk must survive a power cut."
        return Outcome.failed("PostgreSQL acknowledges commits before they are on disk.", remedy)
    if not server("PostgreSQL").holds(version):
        return _too_old("PostgreSQL", version, "Upgrade the server.")
    return Outcome.passed(f"PostgreSQL {version} answers.")


def _too_old(name: str, version: str, remedy: str) -> Outcome:
    floor = server(name)
    return Outcome.failed(f"{name} {version} is older than {' or '.join(floor.versions)}: {floor.reason}.", remedy)


def check_pgvector() -> Outcome:
    """Compare the extension's version with the floor."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        row = cursor.fetchone()
    if row is None:
        return Outcome.failed("The extension `vector` is not there.", "Install pgvector and run `manage.py migrate`.")
    if not server("pgvector").holds(row[0]):
        return _too_old("pgvector", row[0], "Install a newer one, then ALTER EXTENSION vector UPDATE and REINDEX.")
    return Outcome.passed(f"pgvector {row[0]} answers.")


def check_migrations() -> Outcome:
    """Look for migrations that were not applied."""
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        return Outcome.failed(f"{len(pending)} migrations are not applied.", "Run `manage.py migrate`.")
    return Outcome.passed("All migrations are applied.")


def check_redis() -> Outcome:
    """Write and read a key, and compare the server's version with the floor."""
    key, value = f"doctor:{secrets.token_hex(8)}", secrets.token_hex(8)
    try:
        cache.set(key, value, 10)
        same = cache.get(key) == value
        cache.delete(key)
        name, version = _redis_version()
    except (RedisError, OSError) as exc:
        remedy = "Start it with `make run`, or write REDIS_URL as redis://:password@host:6379/0."
        return Outcome.failed(f"Redis does not answer: {exc}", remedy)
    if not same:
        return Outcome.failed("Redis forgets keys.", "Check its memory limit.")
    if not server(name).holds(version):
        return _too_old(name, version, "Upgrade the server.")
    return Outcome.passed(f"{name} {version} answers.")


def _redis_version() -> tuple[str, str]:
    """Return who the server says it is; Valkey names Redis too, the version that it can stand in for."""
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=_REDIS_SECONDS, socket_timeout=_REDIS_SECONDS
    ) as client:
        said: dict[str, Any] = client.info("server")
    known = "valkey_version" in said
    return ("Valkey", str(said["valkey_version"])) if known else ("Redis", str(said.get("redis_version", "")))


def check_worker() -> Outcome:
    """Send a task through the broker, wait for the worker's answer, and compare its keys with ours."""
    from orchestra.monitoring.tasks import PROOF_PREFIX, proof_of

    token = secrets.token_hex(8)
    try:
        worker = _worker_that_answers(token)
        same_keys = cache.get(PROOF_PREFIX + token) == proof_of(token)
    except (KombuError, RedisError, OSError) as exc:
        return Outcome.failed(f"No task can be sent: {exc}", "Check Redis above.")
    if not worker:
        return _no_answer()
    if not same_keys:
        differs = f"{worker} has another SECRET_KEY, JWT_SIGNING_KEY or CREDENTIALS_KEYS than this machine."
        return Outcome.failed(differs, _KEYS)
    return Outcome.passed(f"{worker} answered. {_heard_of(ProcessRole.WORKER)}".strip())


def _worker_that_answers(token: str) -> str:
    from orchestra.monitoring.tasks import PULSE_PREFIX, pulse

    pulse.delay(token)
    until = time.monotonic() + _WORKER_SECONDS
    while time.monotonic() < until:
        if worker := cache.get(PULSE_PREFIX + token):
            return str(worker)
        time.sleep(0.05)
    return ""


def _no_answer() -> Outcome:
    if any(not pulse.silent for pulse in pulses.known(ProcessRole.WORKER)):
        return Outcome.passed(f"No process was free to answer. {_heard_of(ProcessRole.WORKER)}")
    remedy = "Start a worker: `manage.py run --only worker`, or `make run`."
    return Outcome.failed(f"No worker answered within {_WORKER_SECONDS:.0f} seconds.", remedy)


def check_beat() -> Outcome:
    """Look for a beat that was heard of lately: without one, nothing looks for lost jobs."""
    if any(not pulse.silent for pulse in pulses.known(ProcessRole.BEAT)):
        return Outcome.passed(_heard_of(ProcessRole.BEAT))
    remedy = "Start one: `manage.py run --only beat`, or `make run`, whose supervisor restarts one that hangs."
    return Outcome.failed("No beat was heard of within a minute.", remedy)


def _heard_of(role: ProcessRole) -> str:
    """Return a sentence about every process of a role: since when it runs, when it was heard of, its canary's time."""
    return " ".join(_one(pulse) for pulse in pulses.known(role))


def _one(pulse: Pulse) -> str:
    canary = f", its canary took {pulse.milliseconds:.0f} ms" if pulse.milliseconds is not None else ""
    slots = f", {pulse.slots} files at a time" if pulse.slots else ""
    return f"{pulse.name}: up for {pulse.up:.0f} s, heard of {pulse.age:.0f} s ago{slots}{canary}."


def check_clock() -> Outcome:
    """Compare this machine's clock with the database's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        skew = abs((cursor.fetchone()[0] - timezone.now()).total_seconds())
    if skew > _CLOCK_SKEW:
        return Outcome.failed(
            f"This machine and the database are {skew:.0f} seconds apart.",
            "Run a time service (chrony, systemd-timesyncd) on both; tokens and expiry depend on it.",
        )
    return Outcome.passed(f"In step with the database ({1000 * skew:.0f} ms).")


def check_failpoints() -> Outcome:
    """Look whether this process would be killed or delayed on purpose."""
    if failpoints.are_armed():
        remedy = "Remove the setting and restart: it is for tests."
        return Outcome.failed("FAILPOINTS is set: processes are killed or delayed on purpose.", remedy)
    return Outcome.passed("None is armed.")


def check_invariants() -> Outcome:
    """Look whether files, uploads and jobs agree: the cheap part of `manage.py verify`."""
    codes = invariants.up_to(Level.JOBS)
    found = [examined.finding for examined in invariants.examine(codes) if examined.finding]
    if found:
        remedy = "Run `manage.py verify`, then with `--repair`."
        return Outcome.failed(" ".join(finding.message for finding in found), remedy)
    return Outcome.passed(f"Files, uploads and jobs agree ({len(codes)} invariants).")


def check_disk() -> Outcome:
    """Look at the room that is left where the state directory lies."""
    directory = settings.STATE_DIR
    usage = shutil.disk_usage(directory)
    room = f"{usage.free / 1024**3:.1f} of {usage.total / 1024**3:.1f} GiB are free where {directory} lies."
    if usage.free < _LOW_DISK:
        return Outcome.failed(room, "Free some space, or move STATE_DIR: logs, models and embedded servers need it.")
    return Outcome.passed(room)
