"""Brings what a process has counted into PostgreSQL, every few seconds and at its end; and its own state beside it.

Only the web and the processes of workers do, which begin it when they start. Counts of a process that is killed are
lost for the last seconds; nothing else depends on them.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from orchestra.common.identifiers import new_id
from orchestra.common.repeating import Repeating
from orchestra.monitoring.metrics.declared import ProcessGauge, metrics
from orchestra.monitoring.metrics.pending import Key, pending
from orchestra.monitoring.models import ProcessReading

logger = structlog.get_logger(__name__)

SECONDS = 10.0
FORGOTTEN_AFTER = timedelta(seconds=60)
"""After it, what a process said of itself says nothing any more."""

# In order, so that two processes never wait for each other. Counts of another width are those of an earlier version.
_ADD = """
INSERT INTO monitoring_metricseries AS kept (id, name, labels, counts, since)
VALUES (%(id)s, %(name)s, %(labels)s::varchar[], %(counts)s::float8[], now())
ON CONFLICT (name, labels) DO UPDATE SET counts = CASE
    WHEN cardinality(kept.counts) = cardinality(excluded.counts)
    THEN ARRAY(SELECT a + b FROM unnest(kept.counts, excluded.counts) WITH ORDINALITY AS t (a, b, place) ORDER BY place)
    ELSE excluded.counts END
"""


class Keeper:
    """One thread that writes what the others count."""

    def __init__(self) -> None:
        self._thread = Repeating("metrics", SECONDS, self._keep)
        self.role = ""

    def start(self, role: str) -> None:
        """Write from now on, as a process of this role: `web` or `worker`."""
        self.role = role
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and say that this process has ended."""
        self._thread.stop()

    def _keep(self, last: bool) -> None:
        keep(process_name(self.role), ended=last)


keeper = Keeper()


def process_name(role: str) -> str:
    """Return what nobody else calls himself: role, machine and process."""
    return f"{role}@{socket.gethostname()}/{os.getpid()}"[:120]


def keep(process: str = "", *, ended: bool = False) -> None:
    """Write what was counted, and how `process` is. A database that is away is tried again the next time."""
    taken = pending.take()
    try:
        if taken:
            _add(taken)
        if process:
            _tell(process, ended=ended)
    except DatabaseError as error:
        logger.warning("figures not kept", error=str(error))


def _add(taken: dict[Key, list[float]]) -> None:
    rows: list[dict[str, Any]] = [
        {"id": new_id(), "name": name, "labels": list(labels), "counts": counts}
        for (name, labels), counts in sorted(taken.items())
    ]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(_ADD, rows)
    except DatabaseError:
        pending.put_back(taken)
        raise


def _tell(process: str, *, ended: bool) -> None:
    with transaction.atomic():
        ProcessReading.objects.filter(process=process).delete()
        ProcessReading.objects.filter(seen_at__lt=Now() - FORGOTTEN_AFTER).delete()
        if not ended:
            ProcessReading.objects.bulk_create(
                ProcessReading(process=process, name=gauge.name, labels=list(labels), value=value, seen_at=Now())
                for gauge in metrics.all()
                if isinstance(gauge, ProcessGauge)
                for labels, value in gauge.read()
            )
