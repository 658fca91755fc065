"""The canary: sent while a process is free, replaced by the loop's own sign while all are at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisAway

from orchestra.embedded.processes import wait_until
from orchestra.monitoring import beat, canary, pulses, tasks
from orchestra.monitoring.models import ProcessRole


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Collect the canaries that would go to the broker."""
    collected: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.canary, "apply_async", lambda args, **where: collected.append((args, where)))
    return collected


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    yield process
    process.kill()
    process.wait()


def at_work(monkeypatch: pytest.MonkeyPatch, *pids: int) -> None:
    monkeypatch.setattr("celery.worker.state.active_requests", [SimpleNamespace(worker_pid=pid) for pid in pids])


def test_goes_to_the_workers_own_queue_while_a_process_is_free(
    sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(monkeypatch, os.getpid())
    canary.look("celery@a", slots=2)
    ((arguments, where),) = sent
    assert arguments[1:] == (os.getpid(), 2)
    assert where["queue"].name == "celery@a.dq2"
    assert not pulses.pulse_path("celery@a").exists(), "the sign is shown by whoever runs it"


def test_is_not_needed_while_every_process_is_at_work(sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    at_work(monkeypatch, os.getpid())
    canary.look("celery@a", slots=1)
    assert sent == []
    assert pulses.pulse_path("celery@a").exists()


def test_processes_that_were_stopped_are_not_at_work(
    sent: list[Any], sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(monkeypatch, sleeper.pid)
    sleeper.send_signal(signal.SIGSTOP)
    assert wait_until(lambda: canary._is_stopped(sleeper.pid), 10)
    canary.look("celery@a", slots=1)
    assert not pulses.pulse_path("celery@a").exists()
    assert sent == []


def test_a_broker_that_is_away_ends_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise RedisAway("refused")

    at_work(monkeypatch)
    monkeypatch.setattr(tasks.canary, "apply_async", away)
    canary.look("celery@a", slots=1)
    assert not pulses.pulse_path("celery@a").exists()


@pytest.mark.django_db
def test_whoever_runs_it_shows_the_sign_of_the_whole_worker() -> None:
    tasks.canary.apply((0.0, 4711, 3))
    (seen,) = pulses.known(ProcessRole.WORKER)
    assert seen.slots == 3
    assert seen.milliseconds is not None
    assert seen.milliseconds > 0


@pytest.mark.django_db
def test_beat_shows_a_sign_when_it_looks_at_its_schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery_app import app

    monkeypatch.setattr(beat, "close_old_connections", lambda: None)  # the test's own
    scheduler = beat.WatchedScheduler(app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    scheduler.setup_schedule()
    monkeypatch.setattr(scheduler, "apply_entry", lambda *_, **__: None)
    assert scheduler.tick() <= 10
    scheduler.close()
    assert [pulse.name for pulse in pulses.known(ProcessRole.BEAT)] == [beat.beat_name()]
