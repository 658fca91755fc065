"""Providers and connections as the API gives them. No secret is in any of it."""

from __future__ import annotations

from typing import Any

from integrations.base import Provider
from integrations.models import ExternalIntegration
from integrations.selectors import may_change, state_of
from orchestra.accounts.models import User


def provider_answer(provider: Provider) -> dict[str, Any]:
    """Return a provider with the fields that a connection to it has."""
    return {
        "name": provider.name,
        "label": provider.label,
        "kind": provider.kind.value,
        "brings": provider.brings,
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "secret": field.secret,
                "required": field.required,
                "default": field.default,
                "help": field.help,
                "choices": list(field.choices),
            }
            for field in provider.fields
        ],
    }


def connection_answer(connection: ExternalIntegration, user: User) -> dict[str, Any]:
    """Return a connection as this user may see it: of the installation's, who is no staff sees name and state alone."""
    seen: dict[str, Any] = {
        "id": str(connection.pk),
        "provider": connection.provider,
        "name": connection.name,
        "installation": connection.owner_id is None,
        "enabled": connection.enabled,
        "state": state_of(connection),
    }
    if may_change(user, connection):
        seen |= {
            "config": connection.config,
            "has_credentials": bool(connection.credentials),
            "created_at": connection.created_at,
            "tested_at": connection.tested_at,
            "error": {"code": connection.error_code, "message": connection.error_message},
        }
    return seen
