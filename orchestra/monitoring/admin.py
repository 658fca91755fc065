"""Signs of life, counts and samples in the built-in admin, to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from orchestra.monitoring.models import CheckFinding, MetricSeries, ProcessPulse, ProcessReading, SystemMetric


class _ToLookAt(admin.ModelAdmin[Any]):
    """Rows that processes write and nobody else."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: processes write these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Refuse."""
        return False


@admin.register(ProcessPulse)
class ProcessPulseAdmin(_ToLookAt):
    """Workers and beats that were heard of."""

    list_display = ("name", "role", "pid", "slots", "started_at", "seen_at", "milliseconds")
    list_filter = ("role",)
    search_fields = ("name",)


@admin.register(MetricSeries)
class MetricSeriesAdmin(_ToLookAt):
    """What all processes have counted."""

    list_display = ("name", "labels", "counts", "since")
    search_fields = ("name",)


@admin.register(ProcessReading)
class ProcessReadingAdmin(_ToLookAt):
    """What processes said of themselves within a minute."""

    list_display = ("process", "name", "labels", "value", "seen_at")
    search_fields = ("process", "name")


@admin.register(SystemMetric)
class SystemMetricAdmin(_ToLookAt):
    """Samples for the charts."""

    list_display = ("at", "resolution", "figures")
    list_filter = ("resolution",)


@admin.register(CheckFinding)
class CheckFindingAdmin(_ToLookAt):
    """What checks found when they were last run from the status page."""

    list_display = ("name", "ok", "message", "milliseconds", "ran_at")
    list_filter = ("ok",)
