"""Connections and the usage of models in the built-in admin: to look at, to switch off, to delete."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from integrations.models import ExternalIntegration, ModelUsage
from orchestra.common.read_only import ReadOnly


@admin.register(ExternalIntegration)
class ExternalIntegrationAdmin(admin.ModelAdmin[ExternalIntegration]):
    """Connections. Their fields are written by pages and API, which check them; credentials are shown nowhere."""

    list_display = ("name", "provider", "owner", "enabled", "tested_at", "error_code")
    list_filter = ("provider", "enabled")
    search_fields = ("name", "owner__username")
    list_select_related = ("owner",)
    fields = (
        "name",
        "provider",
        "owner",
        "enabled",
        "config",
        "created_at",
        "tested_at",
        "error_code",
        "error_message",
    )
    readonly_fields = tuple(name for name in fields if name not in ("name", "enabled"))

    def view_on_site(self, obj: ExternalIntegration) -> str | None:
        """Link to the page where staff may open it: of the installation's. A user's own is closed to all others."""
        return reverse("integration", args=[obj.pk]) if obj.owner_id is None else None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid adding: a connection without its secrets is none."""
        return False


@admin.register(ModelUsage)
class ModelUsageAdmin(ReadOnly, admin.ModelAdmin[ModelUsage]):
    """What calls of models took: counted, and to delete it would give a budget back."""

    list_display = ("user", "month", "model", "own", "calls", "input_tokens", "output_tokens", "cost")
    list_filter = ("month", "own")
    search_fields = ("user__username", "model")
    list_select_related = ("user",)
