"""Reads of imports. Whoever calls has asked `integrations.selectors` whose connection it is."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Case, Count, IntegerField, Prefetch, QuerySet, Value, When
from django.db.models.functions import Now

from files.errors import ImportNotFound
from files.models import ImportAction, ImportEntry, ImportRun
from integrations.models import ExternalIntegration
from integrations.selectors import connections_to_change
from orchestra.accounts.models import User

SHOWN_ENTRIES = 100


def runs_of(connection: ExternalIntegration) -> list[ImportRun]:
    """Return a connection's last runs, newest first, each with `shown`: the beginning of its log, failures first."""
    failures_first = Case(
        When(action=ImportAction.FAILED, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    entries = ImportEntry.objects.order_by(failures_first, "id")[:SHOWN_ENTRIES]
    runs = ImportRun.objects.filter(integration=connection)
    return list(runs.prefetch_related(Prefetch("entries", entries, to_attr="shown")))


def kept_runs(connection: ExternalIntegration) -> list[ImportRun]:
    """Return a connection's last runs, newest first, each with `now`, the database's time, and without its log."""
    return list(ImportRun.objects.filter(integration=connection).annotate(now=Now()))


def last_runs(connections: Iterable[UUID]) -> dict[UUID, ImportRun]:
    """Return the last run of each connection that has one, each with `now`, the database's time."""
    runs = ImportRun.objects.filter(integration__in=list(connections))
    last = runs.order_by("integration_id", "-asked_at", "-id").distinct("integration_id").annotate(now=Now())
    return {run.integration_id: run for run in last}


def get_run(user: User, run_id: UUID) -> ImportRun:
    """Return one run of a connection that the user may change. Raises ImportNotFound."""
    whose = connections_to_change(user)
    runs = ImportRun.objects.annotate(now=Now()).select_related("integration")
    found = runs.filter(pk=run_id, integration__in=whose).first()
    if found is None:
        raise ImportNotFound
    return found


def entries_of(run: ImportRun, action: str = "") -> QuerySet[ImportEntry]:
    """Return a run's log in the order in which it was written; with `action` those lines alone."""
    entries = ImportEntry.objects.filter(run=run).order_by("id")
    return entries.filter(action=action) if action in ImportAction else entries


def counts_of(run: ImportRun) -> dict[str, int]:
    """Return how many lines of a run's log there are by action."""
    counted = ImportEntry.objects.filter(run=run).order_by().values_list("action").annotate(Count("id"))
    return dict(counted)
