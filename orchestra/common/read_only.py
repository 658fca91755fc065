"""Rows that the product writes, in the built-in admin: to look at."""

from __future__ import annotations

from django.http import HttpRequest


class ReadOnly:
    """Stands before ModelAdmin or an inline: nothing is added, changed or deleted there."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Forbid adding."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Forbid changing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Forbid deleting."""
        return False
