"""What an address in a setting must look like; `env.py` asks, and shows the sentence to whoever wrote it."""

from __future__ import annotations

from ipaddress import ip_network
from urllib.parse import urlsplit


def require_server(value: str, example: str) -> None:
    """Raise ValueError unless `value` is empty or the address of a web server, without credentials."""
    require_url(value, ("http", "https"), example)
    if value and (not urlsplit(value).hostname or "@" in urlsplit(value).netloc):
        raise ValueError(f"write it as {example}, without a name or password")


def require_url(value: str, schemes: tuple[str, ...], example: str) -> None:
    """Raise ValueError unless `value` is empty or a URL with one of `schemes`, a host or path, and a valid port."""
    if not value:
        return
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in schemes or not (parts.netloc or parts.path or parts.query):
        raise ValueError(f"write it as {example}")


def require_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the addresses or networks. Raises ValueError where one is none."""
    try:
        for each in value:
            ip_network(each)
    except ValueError:
        raise ValueError("write addresses or networks, e.g. 10.0.0.7,10.1.0.0/16") from None
    return value
