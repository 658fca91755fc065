"""Every address of the product, read from the URL resolver, so that tests cover those that are added later."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("get", "post", "put", "patch", "delete")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """One address: `template` is its path with parameters in angle brackets; `actions` are the values of `action`."""

    name: str
    template: str
    methods: tuple[str, ...]
    actions: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(_PARAMETER.findall(self.template))

    @property
    def is_api(self) -> bool:
        return f"{self.template}/".startswith(("/api/", "/tus/", "/mcp/"))

    @property
    def is_tus(self) -> bool:
        return self.template.startswith("/tus/")

    def path(self, values: Mapping[str, object]) -> str:
        return _PARAMETER.sub(lambda match: str(values[match[1]]), self.template)


def routes() -> list[Route]:
    """Return all addresses but those of the admin, which are not the product's own."""
    return list(_walk(get_resolver().url_patterns, "/"))


def _walk(patterns: list[Any], prefix: str) -> Iterator[Route]:
    for pattern in patterns:
        template = prefix + str(pattern.pattern)
        if template == "/admin/":
            continue
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, template)
        elif isinstance(pattern, URLPattern):
            callback: Any = pattern.callback
            view: Any = getattr(callback, "cls", None) or callback.view_class
            methods = tuple(m for m in METHODS if m in view.http_method_names and hasattr(view, m))
            yield Route(pattern.name or template, template, methods, _actions(view) if "action>" in template else ())


def _actions(view: Any) -> tuple[str, ...]:
    """Return the words that a view of actions knows: its table is the class's or its module's `_ACTIONS`."""
    known = getattr(view, "_ACTIONS", None) or vars(sys.modules[view.__module__])["_ACTIONS"]
    return tuple(known)
