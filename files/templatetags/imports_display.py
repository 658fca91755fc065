"""How pages show imports and messages to webhooks: words, tones of `[data-status]`, what to do about an error."""

from __future__ import annotations

from typing import Any

from django import template

from files.models import DeliveryState, ImportState
from orchestra.common.errors import kind_of_error

register = template.Library()

_RUNS = {
    ImportState.WAITING: ("Waiting for a free worker", "queued"),
    ImportState.RUNNING: ("Importing", "processing"),
    ImportState.DONE: ("Done", "ready"),
    ImportState.CUT: ("Goes on with the next one", "partial"),
    ImportState.FAILED: ("Failed", "failed"),
    ImportState.INTERRUPTED: ("Interrupted", "cancelled"),
}
_DELIVERIES = {
    DeliveryState.WAITING: ("Waiting", "queued"),
    DeliveryState.DELIVERED: ("Delivered", "ready"),
    DeliveryState.FAILED: ("Given up", "failed"),
}
_CONNECTIONS = {"works": ("Works", "ready"), "failed": ("Failed", "failed"), "untested": ("Never tested", "queued")}
_ACTIONS = {"added": "ready", "changed": "ready", "duplicate": "queued", "deleted": "cancelled", "failed": "failed"}


@register.inclusion_tag("integrations/_status.html")
def run_status(run: Any) -> dict[str, str]:
    """Show where a run stands; one whose worker was lost is over, whatever its row still says."""
    lost = run.state == ImportState.RUNNING and run.lease_until is not None and run.lease_until < run.now
    return _status(_RUNS[ImportState.INTERRUPTED if lost else ImportState(run.state)])


@register.inclusion_tag("integrations/_status.html")
def connection_status(connection: Any, state: str) -> dict[str, str]:
    """Show whether a connection is on, and what its last test found."""
    return _status(_CONNECTIONS[state] if connection.enabled else ("Switched off", "cancelled"))


@register.inclusion_tag("integrations/_status.html")
def delivery_status(delivery: Any) -> dict[str, str]:
    """Show where a message to a webhook stands."""
    return _status(_DELIVERIES[DeliveryState(delivery.state)])


@register.inclusion_tag("integrations/_status.html")
def webhook_status(webhook: Any) -> dict[str, str]:
    """Show whether a webhook is on, and whether its receiver takes what it is sent."""
    if not webhook.enabled:
        return _status(("Switched off", "cancelled"))
    return _status(("Failing", "failed") if webhook.failures else ("On", "ready"))


@register.inclusion_tag("integrations/_status.html")
def entry_status(entry: Any) -> dict[str, str]:
    """Show what a run did with a document."""
    return _status((entry.get_action_display(), _ACTIONS.get(entry.action, "queued")))


def _status(words: tuple[str, str]) -> dict[str, str]:
    return {"label": words[0], "tone": words[1]}


@register.filter
def is_open(run: Any) -> bool:
    """Tell whether a run waits or goes on."""
    return run is not None and run.state in (ImportState.WAITING, ImportState.RUNNING)


@register.filter
def error_sentence(code: str) -> str:
    """Return the sentence of an error of which the code was kept."""
    kind = kind_of_error(code) if code else None
    return kind.default_message if kind else ""


@register.filter
def error_hint(code: str) -> str:
    """Return what to do about an error of which the code was kept."""
    kind = kind_of_error(code) if code else None
    return kind.default_hint if kind else ""
