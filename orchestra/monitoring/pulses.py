"""Signs of life of workers and of beat: who is there, since when, and who has fallen silent.

A worker shows one when a canary came through the broker and one of its processes ran it
(`orchestra.monitoring.canary`); beat when it looked at its schedule (`orchestra.monitoring.beat`). Each is written
twice: into the database, for every machine to see, and as the time of a file, by which the supervisor of this machine
tells a wedged process from a busy one without asking any server.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Sum
from django.db.models.functions import Now

from orchestra.monitoring.models import ProcessPulse, ProcessRole

logger = structlog.get_logger(__name__)

SILENT_AFTER = timedelta(seconds=60)
"""Three canaries."""

_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sign:
    """What a process tells of itself. `milliseconds`: how long a canary took, None where there was none."""

    name: str
    role: ProcessRole
    pid: int
    slots: int = 0
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """A process that was heard of: `age` seconds ago, `up` seconds after its start."""

    name: str
    slots: int
    age: float
    up: float
    milliseconds: float | None

    @property
    def silent(self) -> bool:
        """Whether it has missed three signs."""
        return self.age > SILENT_AFTER.total_seconds()


def show(sign: Sign) -> None:
    """Show a sign of life. A database that is away is logged: it says nothing about this process."""
    touch(sign.name)
    try:
        _record(sign)
    except DatabaseError as exc:
        logger.warning("sign of life not recorded", process=sign.name, error=str(exc))


def touch(name: str) -> None:
    """Show a sign of life to this machine's supervisor alone."""
    path = pulse_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def pulse_path(name: str) -> Path:
    """Return the file whose time is the last sign of a process of this machine."""
    return Path(settings.PULSE_DIR) / name.replace("/", "_")


def _record(sign: Sign) -> None:
    values = {"slots": sign.slots, "milliseconds": sign.milliseconds, "seen_at": Now()}
    if ProcessPulse.objects.filter(name=sign.name, pid=sign.pid).update(**values):
        return
    first = {"role": sign.role, "pid": sign.pid, "started_at": Now(), **values}
    ProcessPulse.objects.update_or_create(name=sign.name, defaults=first)
    ProcessPulse.objects.filter(seen_at__lt=Now() - _FORGOTTEN_AFTER).delete()


def begun(node: str, pid: int, ago: timedelta) -> None:
    """Note that a worker that was heard of has been started anew; it shows its own first sign when it takes tasks."""
    ProcessPulse.objects.filter(name=node).exclude(pid=pid).update(pid=pid, started_at=Now() - ago)


def keep(node: str) -> None:
    """Note that a worker is at work: while all its processes are, none is free to run a canary."""
    ProcessPulse.objects.filter(name=node).update(seen_at=Now())


def known(role: ProcessRole) -> list[Pulse]:
    """Return the processes of a role that were heard of within a day, the silent ones among them."""
    return [
        Pulse(row.name, row.slots, _seconds(row.now, row.seen_at), _seconds(row.now, row.started_at), row.milliseconds)
        for row in ProcessPulse.objects.filter(role=role).annotate(now=Now())
    ]


def _seconds(now: datetime, then: datetime) -> float:
    return (now - then).total_seconds()


def live_slots() -> int:
    """Return how many files the workers that were heard of lately can process at a time; 0 when none was."""
    workers = ProcessPulse.objects.filter(role=ProcessRole.WORKER, seen_at__gt=Now() - SILENT_AFTER)
    return int(workers.aggregate(total=Sum("slots"))["total"] or 0)


def worker_name(node: str, pid: int | str) -> str:
    """Return the name of one process of a worker: what holds a lease. Without a process: how all of them begin."""
    return f"{node}/{pid}"


def parent_of(worker: str) -> str:
    """Return the node that a worker's process belongs to."""
    return worker.partition("/")[0]


def gone_since(node: str, since: datetime) -> bool:
    """Tell whether a worker was started anew after `since`, or has fallen silent. False when it was never heard of."""
    row = ProcessPulse.objects.filter(name=node, role=ProcessRole.WORKER).annotate(now=Now()).first()
    return row is not None and (row.started_at > since or row.seen_at < row.now - SILENT_AFTER)
