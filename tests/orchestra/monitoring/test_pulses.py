"""Signs of life: recorded, aged, forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import F

from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessPulse, ProcessRole
from orchestra.monitoring.pulses import Sign

pytestmark = pytest.mark.django_db


def worker(name: str = "celery@a", pid: int = 1, **more: Any) -> Sign:
    return Sign(name, ProcessRole.WORKER, pid, **{"slots": 2, **more})


def age(name: str, seconds: float) -> None:
    earlier = timedelta(seconds=seconds)
    ProcessPulse.objects.filter(name=name).update(seen_at=F("seen_at") - earlier, started_at=F("started_at") - earlier)


def test_a_sign_is_seen_by_every_machine_and_by_this_ones_supervisor() -> None:
    pulses.show(worker(milliseconds=12.5))
    (seen,) = pulses.known(ProcessRole.WORKER)
    assert (seen.name, seen.slots, seen.milliseconds, seen.silent) == ("celery@a", 2, 12.5, False)
    assert pulses.pulse_path("celery@a").exists()
    assert pulses.known(ProcessRole.BEAT) == []


def test_the_start_stays_until_another_process_takes_the_name() -> None:
    pulses.show(worker())
    age("celery@a", 100)
    pulses.show(worker())
    assert pulses.known(ProcessRole.WORKER)[0].up == pytest.approx(100, abs=30)
    pulses.show(worker(pid=2))
    assert pulses.known(ProcessRole.WORKER)[0].up < 30


def test_slots_of_silent_workers_do_not_count() -> None:
    assert pulses.live_slots() == 0
    pulses.show(worker("celery@a", slots=2))
    pulses.show(worker("celery@b", slots=3))
    pulses.show(Sign("beat@a", ProcessRole.BEAT, 9))
    assert pulses.live_slots() == 5
    age("celery@b", 61)
    assert pulses.live_slots() == 2
    assert [pulse.silent for pulse in pulses.known(ProcessRole.WORKER)] == [False, True]


def test_names_of_machines_that_are_gone_do_not_pile_up() -> None:
    pulses.show(worker("celery@gone"))
    age("celery@gone", 25 * 3600)
    pulses.show(worker("celery@new"))
    assert [pulse.name for pulse in pulses.known(ProcessRole.WORKER)] == ["celery@new"]


def test_a_database_that_is_away_hides_no_sign_from_the_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Sign) -> None:
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(pulses, "_record", away)
    pulses.show(worker())
    assert pulses.pulse_path("celery@a").exists()


def test_a_worker_is_gone_when_it_was_started_anew_or_fell_silent() -> None:
    assert not pulses.gone_since("celery@a", _now()), "never heard of: nothing is known"
    pulses.show(worker())
    assert not pulses.gone_since("celery@a", _now())
    assert pulses.gone_since("celery@a", _now() - timedelta(hours=1))
    age("celery@a", 61)
    assert pulses.gone_since("celery@a", _now())


def _now() -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def test_a_worker_all_of_whose_processes_are_at_work_is_kept_as_seen() -> None:
    pulses.show(worker())
    age("celery@a", 100)
    assert pulses.live_slots() == 0
    pulses.keep("celery@a")
    assert pulses.live_slots() == 2


def test_a_process_names_its_worker() -> None:
    assert pulses.parent_of(pulses.worker_name("celery@a", 7)) == "celery@a"
