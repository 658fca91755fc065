"""Signs of life in the built-in admin, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from orchestra.monitoring.models import ProcessPulse


@admin.register(ProcessPulse)
class ProcessPulseAdmin(admin.ModelAdmin[ProcessPulse]):
    """Workers and beats that were heard of."""

    list_display = ("name", "role", "pid", "slots", "started_at", "seen_at", "milliseconds")
    list_filter = ("role",)
    search_fields = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: processes write these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Refuse."""
        return False
