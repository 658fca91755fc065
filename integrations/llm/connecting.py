"""Fields that connections to models share, and the checks of what people write into them."""

from __future__ import annotations

from integrations.base import Field
from orchestra.common.outbound.client import host_of
from orchestra.common.outbound.errors import OutboundRefused

ALIASES = ("default", "local", "uncensored")


def web_address(value: str) -> None:
    """Raise ValueError unless this is a base URL."""
    try:
        host_of(value)
    except OutboundRefused as exc:
        raise ValueError("Write it as https://host/v1, without a name or password.") from exc
    if "?" in value or "#" in value:
        raise ValueError("Write it without ? and #.")


ALIAS = Field(
    "alias",
    "Used for",
    default="default",
    choices=ALIASES,
    help="default: all answers. local: private mode, for a model on this machine. uncensored: that mode alone.",
)
KEY = Field("key", "Key", secret=True, required=True, help="Stored encrypted and never shown again.")


def model_field(default: str = "", *, required: bool = False) -> Field:
    """Return the field for a model's name."""
    return Field("model", "Model", default=default, required=required, help="As the provider spells it.")
