"""Reads of imports. Whoever calls has asked `integrations.selectors` whose connection it is."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Prefetch, Value, When

from files.models import ImportAction, ImportEntry, ImportRun
from integrations.models import ExternalIntegration

SHOWN_ENTRIES = 100


def runs_of(connection: ExternalIntegration) -> list[ImportRun]:
    """Return a connection's last runs, newest first, each with `shown`: the beginning of its log, failures first."""
    failures_first = Case(
        When(action=ImportAction.FAILED, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    entries = ImportEntry.objects.order_by(failures_first, "id")[:SHOWN_ENTRIES]
    runs = ImportRun.objects.filter(integration=connection)
    return list(runs.prefetch_related(Prefetch("entries", entries, to_attr="shown")))
