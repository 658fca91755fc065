"""Who may read the figures: nobody, until a token or networks are set. They tell how much an installation is used."""

from __future__ import annotations

import hmac
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from orchestra.common.errors import OrchestraError
from orchestra.monitoring.checks import Outcome

_SET_ONE = "Set METRICS_TOKEN, or METRICS_NETWORKS to the addresses of who scrapes, and restart the web."


class MetricsClosed(OrchestraError):
    """The figures are asked for by somebody who may not read them."""

    code = "metrics_closed"
    status = 403
    default_message = "The figures are not open to you."
    default_hint = "The administrator opens them by METRICS_TOKEN or METRICS_NETWORKS."


def may_read(request: HttpRequest) -> bool:
    """Tell whether a request has the token, or comes from a network that is listed."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    token = settings.METRICS_TOKEN
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    return _is_listed(request.META.get("REMOTE_ADDR", ""))


def _is_listed(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in ip_network(network) for network in settings.METRICS_NETWORKS)


def check() -> Outcome:
    """Say how /metrics stands; open to everybody is a failure."""
    networks = settings.METRICS_NETWORKS
    if any(ip_network(network).prefixlen == 0 for network in networks):
        return Outcome.failed(
            "/metrics is open to every address.", "List in METRICS_NETWORKS the addresses of who scrapes alone."
        )
    ways = [f"with METRICS_TOKEN ({len(settings.METRICS_TOKEN)} signs)"] if settings.METRICS_TOKEN else []
    ways += [f"from {', '.join(networks)}"] if networks else []
    if not ways:
        return Outcome.passed(f"/metrics is closed. {_SET_ONE}")
    return Outcome.passed(f"/metrics is open {' and '.join(ways)}, to nobody else.")
