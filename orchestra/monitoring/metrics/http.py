"""Counts and times every request that Django answers. What is refused before Django (size, proxy probe) is not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import perf_counter

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver, get_resolver

from orchestra.monitoring.metrics.declared import QUICK, Counter, Histogram, metrics, of

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_UNMATCHED = "unmatched"


@cache
def route_names() -> frozenset[str]:
    """Return the names of all addresses; the built-in admin's are one."""
    return frozenset({*_names_of(get_resolver().url_patterns), "admin", _UNMATCHED})


def _names_of(patterns: list[URLPattern | URLResolver]) -> set[str]:
    names: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            names.add(pattern.name or _UNMATCHED)
        elif not pattern.namespace:
            names |= _names_of(pattern.url_patterns)
    return names


requests = metrics.add(
    Counter(
        "orchestra_http_requests_total",
        "Requests that were answered.",
        {"route": route_names, "method": of(*_METHODS), "status": of("1xx", "2xx", "3xx", "4xx", "5xx")},
    )
)
durations = metrics.add(
    Histogram(
        "orchestra_http_request_seconds",
        "Seconds until an answer began.",
        {"route": route_names, "method": of(*_METHODS)},
        QUICK,
    )
)


class MetricsMiddleware:
    """The outermost middleware: what it times is all of the others, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request, and count it."""
        began = perf_counter()
        response = self._get_response(request)
        note(request, response.status_code, perf_counter() - began)
        return response


def note(request: HttpRequest, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    route, method = _route_of(request), request.method or ""
    requests.add(route, method, f"{status // 100}xx")
    durations.observe(route, method, seconds=seconds)


def _route_of(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is None:
        return _UNMATCHED
    return match.namespaces[0] if match.namespaces else match.url_name or _UNMATCHED
