"""`manage.py doctor`: each failing part is named with what to do, and the exit says so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import ConnectionError as RedisConnectionError

from files.storage import local
from orchestra.accounts.models import User
from orchestra.common import failpoints
from orchestra.monitoring import infrastructure, pulses
from orchestra.monitoring.checks import registry
from orchestra.monitoring.models import ProcessRole

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_redis")]

Break = Callable[[pytest.MonkeyPatch], None]


def doctor(*names: str) -> str:
    out = StringIO()
    call_command("doctor", *names, stdout=out)
    return out.getvalue()


def failing_doctor(*names: str) -> str:
    out = StringIO()
    with pytest.raises(CommandError, match="need attention"):
        call_command("doctor", *names, stdout=out)
    return out.getvalue()


def raising(error: Exception) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> None:
        raise error

    return call


def test_every_part_of_the_promise_is_checked() -> None:
    promised = [
        "database",
        "pgvector",
        "migrations",
        "redis",
        "worker",
        "beat",
        "clock",
        "storage",
        "socket",
        "embedding model",
    ]
    assert set(promised) <= set(registry.names())


@pytest.mark.django_db(transaction=True)
def test_healthy_parts_pass(admin_user_record: User) -> None:
    pulses.show(pulses.Sign("beat@here", ProcessRole.BEAT, pid=1))
    names = [name for name in registry.names() if name != "worker"]  # needs a process of its own
    out = doctor(*names)
    assert out.count("ok ") == len(names)
    assert "FAIL" not in out


def no_database(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(infrastructure, "connection", _BrokenConnection())


class _BrokenConnection:
    def cursor(self) -> None:
        raise OperationalError('connection to server failed: refused\n\tIs it "running"?')


class _Cursor:
    def __init__(self, row: object) -> None:
        self._row = row

    def execute(self, *_: object) -> None: ...

    def fetchone(self) -> object:
        return self._row


class _Connection:
    def __init__(self, row: object) -> None:
        self._row = row

    @contextmanager
    def cursor(self) -> Any:
        yield _Cursor(self._row)


def answering(row: object) -> Break:
    return lambda patch: patch.setattr(infrastructure, "connection", _Connection(row))


def pending_migration(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("a migration", False)])


def no_redis(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cache, "set", raising(RedisConnectionError("refused")))


def forgetful_redis(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cache, "get", lambda _: None)


def worker_with_other_keys(patch: pytest.MonkeyPatch) -> None:
    from orchestra.monitoring.tasks import PROOF_PREFIX, PULSE_PREFIX, pulse

    def answer(token: str) -> None:
        cache.set(PROOF_PREFIX + token, "proof of other keys", 30)
        cache.set(PULSE_PREFIX + token, "celery@elsewhere", 30)

    patch.setattr(pulse, "delay", answer)


def silent_worker(patch: pytest.MonkeyPatch) -> None:
    from orchestra.monitoring.tasks import pulse

    patch.setattr(infrastructure, "_WORKER_SECONDS", 0.1)
    patch.setattr(pulse, "delay", lambda _: None)


def unreachable_broker(patch: pytest.MonkeyPatch) -> None:
    from orchestra.monitoring.tasks import pulse

    patch.setattr(pulse, "delay", raising(RedisConnectionError("refused")))


def other_clock(patch: pytest.MonkeyPatch) -> None:
    import datetime

    row = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=60),)
    patch.setattr(infrastructure, "connection", _Connection(row))


def unwritable_storage(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("files.storage.local.tempfile.TemporaryFile", raising(PermissionError("denied")))


def unmakeable_storage(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(local, "scratch_dir", raising(PermissionError("denied")))


def small_disk(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(local.LocalStorage, "free_bytes", lambda _: 1024)


def broken_model(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "search.indexing.embedders.hashing.HashingEmbedder.embed_query", raising(ImportError("no onnxruntime"))
    )


def wrong_dimensions(patch: pytest.MonkeyPatch) -> None:
    import numpy as np

    patch.setattr(
        "search.indexing.embedders.hashing.HashingEmbedder.embed_query", lambda *_: np.zeros(768, dtype=np.float32)
    )


@pytest.mark.parametrize(
    ("name", "broken", "remedy"),
    [
        ("database", no_database, "postgresql://user:password@host:5432/name"),
        ("database", answering(("16.9", "off")), "synchronous_commit = on"),
        ("pgvector", no_database, "database"),
        ("pgvector", answering(None), "Install pgvector"),
        ("pgvector", answering(("0.7.4",)), "ALTER EXTENSION vector UPDATE"),
        ("migrations", pending_migration, "manage.py migrate"),
        ("redis", no_redis, "redis://:password@host:6379/0"),
        ("redis", forgetful_redis, "memory"),
        ("worker", silent_worker, "Start a worker"),
        ("worker", worker_with_other_keys, "the same on all machines"),
        ("worker", unreachable_broker, "Redis"),
        ("beat", lambda _: None, "manage.py run --only beat"),
        ("clock", other_clock, "time service"),
        ("storage", unwritable_storage, "UPLOAD_DIR"),
        ("storage", unmakeable_storage, "UPLOAD_DIR"),
        ("storage", small_disk, "Free some space"),
        ("embedding model", broken_model, "requirements.txt"),
        ("embedding model", wrong_dimensions, "EMBEDDING_MODEL"),
        ("socket", lambda _: None, "createsuperuser"),
    ],
)
def test_failing_part_is_named_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: Break, remedy: str
) -> None:
    with monkeypatch.context() as patched:
        broken(patched)
        out = failing_doctor(name)

    failure, advice = out.strip().splitlines()
    assert failure.startswith(f"FAIL {name}")
    assert remedy in advice
    assert "itself broke" not in out


def test_a_worker_that_is_at_work_throughout_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    pulses.show(pulses.Sign("celery@here", ProcessRole.WORKER, pid=1, slots=2, milliseconds=12))
    with monkeypatch.context() as patched:
        silent_worker(patched)
        out = doctor("worker")
    assert "No process was free to answer. celery@here: up for 0 s, heard of 0 s ago, 2 files at a time" in out
    assert "its canary took 12 ms" in out


def test_one_broken_part_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infrastructure, "connection", _BrokenConnection())
    out = failing_doctor("database", "storage")
    assert "FAIL database" in out
    assert "ok   storage" in out


def test_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CommandError, match=r"no check called astrology.*database"):
        doctor("astrology")


def test_armed_failpoints_are_told() -> None:
    assert "None is armed." in doctor("failpoints")
    failpoints.arm("job.claimed=kill")
    try:
        assert "Remove the setting" in failing_doctor("failpoints")
    finally:
        failpoints.arm("")


def test_a_disk_that_is_almost_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "GiB are free" in doctor("disk")
    monkeypatch.setattr(infrastructure, "_LOW_DISK", 2**60)
    assert "Free some space" in failing_doctor("disk")
