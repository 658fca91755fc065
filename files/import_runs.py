"""Runs of imports: begun by one worker at a time, held by a lease, fenced, counted, ended, and when the next is due.

`files.importing` does the work between `begin` and `end`. PostgreSQL is the truth: a run that somebody asked for is a
row, and a task only a hint. Times are the database's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from files.errors import ConnectionOff, ImportLost
from files.hints import publish_import
from files.import_selectors import last_runs
from files.models import ImportAction, ImportEntry, ImportRun, ImportState
from files.names import clean_name
from integrations.errors import ConnectionNotFound
from integrations.models import ExternalIntegration
from integrations.selectors import source_connections
from integrations.sources.base import LEAST_MINUTES
from orchestra.common.errors import OrchestraError
from orchestra.monitoring import pulses

LEASE = timedelta(minutes=10)  # longer than a source's patience (`integrations.sources.base`)
_KEPT_RUNS = 20
_MOST_ENTRIES = 1_000
_MOST_STARTED = 20
_OPEN = (ImportState.WAITING, ImportState.RUNNING)
_COUNTS = {
    ImportAction.ADDED: "added",
    ImportAction.CHANGED: "changed",
    ImportAction.DUPLICATE: "duplicates",
    ImportAction.DELETED: "deleted",
    ImportAction.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, and why where it failed."""

    state: ImportState
    code: str = ""
    message: str = ""
    hint: str = ""

    @classmethod
    def failed(cls, error: OrchestraError) -> Ending:
        """Return the end that an error is."""
        return cls(ImportState.FAILED, error.code, error.message[:500], error.hint[:500])


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a run's log, before it is written."""

    action: ImportAction
    name: str
    origin: str = ""
    file_id: UUID | None = None
    error: OrchestraError | None = None


def ask(connection: ExternalIntegration) -> ImportRun:
    """Return the run of a connection that waits or goes on, or a new one that begins soon.

    Raises ConnectionOff, or ConnectionNotFound where it was deleted meanwhile.
    """
    with transaction.atomic():
        held = ExternalIntegration.objects.select_for_update(no_key=True).filter(pk=connection.pk).first()
        if held is None:
            raise ConnectionNotFound
        if not held.enabled:
            raise ConnectionOff
        found = ImportRun.objects.filter(integration=connection, state__in=_OPEN).first()
        run = found or ImportRun.objects.create(integration=connection)
        transaction.on_commit(lambda: publish_import(connection.pk))
    run.refresh_from_db()
    return run


def begin(integration_id: UUID) -> ImportRun | None:
    """Begin a run of a connection; None where one goes on, where it is switched off, or as many go on as may."""
    with transaction.atomic():
        known = source_connections().select_for_update(no_key=True, of=("self",)).filter(pk=integration_id).first()
        if known is None or not _has_room():
            return None
        run = _taken_over(known)
        if run is None:
            return None
        ImportRun.objects.filter(pk=run.pk).update(
            state=ImportState.RUNNING, started_at=Now(), lease_until=Now() + LEASE
        )
        _forget_old(known)
    return ImportRun.objects.select_related("integration__owner").get(pk=run.pk)


def _taken_over(connection: ExternalIntegration) -> ImportRun | None:
    """Return a waiting run of a connection; None while one goes on. One whose worker was lost is over."""
    runs = ImportRun.objects.filter(integration=connection)
    if runs.filter(state=ImportState.RUNNING, lease_until__gt=Now()).exists():
        return None
    runs.filter(state=ImportState.RUNNING).update(state=ImportState.INTERRUPTED, ended_at=Now(), lease_until=None)
    waiting = runs.filter(state=ImportState.WAITING).first()
    return waiting or ImportRun.objects.create(integration=connection)


def _has_room() -> bool:
    """Tell whether one more import may go on: half of the workers stay for files."""
    going_on = ImportRun.objects.filter(state=ImportState.RUNNING, lease_until__gt=Now()).count()
    return going_on < max(1, pulses.live_slots() // 2)


def _forget_old(connection: ExternalIntegration) -> None:
    kept = ImportRun.objects.filter(integration=connection).values_list("pk", flat=True)[:_KEPT_RUNS]
    ImportRun.objects.filter(integration=connection).exclude(pk__in=list(kept)).exclude(state__in=_OPEN).delete()


def beat(run: ImportRun) -> None:
    """Extend the lease. Raises ImportLost where the run is no longer ours, ConnectionOff where it should end."""
    if not ImportRun.objects.filter(_ours(run)).update(lease_until=Now() + LEASE):
        raise ImportLost
    if not ExternalIntegration.objects.filter(pk=run.integration_id, enabled=True).exists():
        raise ConnectionOff


@contextmanager
def held(run: ImportRun) -> Iterator[None]:
    """Give a transaction in which the run is certainly still ours. Raises ImportLost."""
    with transaction.atomic():
        if ImportRun.objects.select_for_update(of=("self",)).filter(_ours(run)).first() is None:
            raise ImportLost
        yield


def _ours(run: ImportRun) -> Q:
    return Q(pk=run.pk, state=ImportState.RUNNING)


def count(run: ImportRun, **more: int) -> None:
    """Add to a run's numbers."""
    added: dict[str, Any] = {name: F(name) + number for name, number in more.items()}
    ImportRun.objects.filter(_ours(run)).update(**added)


def note(run: ImportRun, entry: Entry) -> None:
    """Count what was done with a document, and write it into the run's log while that has room."""
    count(run, **{_COUNTS[entry.action]: 1})
    if ImportEntry.objects.filter(run=run).count() >= _MOST_ENTRIES:
        return
    ImportEntry.objects.create(
        run=run,
        action=entry.action,
        name=clean_name(entry.name),
        origin=entry.origin,
        file_id=entry.file_id,
        code=entry.error.code if entry.error else "",
        message=entry.error.message[:500] if entry.error else "",
    )


def end(run: ImportRun, ending: Ending) -> None:
    """End a run, unless another one took its place."""
    ImportRun.objects.filter(_ours(run)).update(
        state=ending.state,
        ended_at=Now(),
        lease_until=None,
        error_code=ending.code,
        error_message=ending.message,
        error_hint=ending.hint,
    )


def due() -> list[UUID]:
    """Return the connections whose import should begin now, those that were asked for first."""
    connections = {known.pk: known for known in source_connections()}
    runs = last_runs(connections)
    found = [pk for pk, known in connections.items() if _is_due(known, runs.get(pk))]
    found.sort(key=lambda pk: (runs[pk].state != ImportState.WAITING, runs[pk].asked_at) if pk in runs else (True,))
    return found[:_MOST_STARTED]


def _is_due(connection: ExternalIntegration, run: Any) -> bool:
    if run is None or run.state == ImportState.WAITING:
        return True
    if run.state == ImportState.RUNNING:
        return run.lease_until is None or bool(run.lease_until < run.now)
    at = next_at(connection, run)
    return at is None or bool(at <= run.now)


def next_at(connection: ExternalIntegration, run: ImportRun | None) -> datetime | None:
    """Return when the import after this last run of a connection is due; None for as soon as a worker is free."""
    if run is None or run.started_at is None or run.state in (ImportState.CUT, ImportState.INTERRUPTED):
        return None
    every = int(connection.config.get("every_minutes") or LEAST_MINUTES)
    return run.started_at + timedelta(minutes=max(every, LEAST_MINUTES))
