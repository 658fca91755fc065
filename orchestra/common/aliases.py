"""Alias handlers: name → backend object, chosen by settings, like Django's STORAGES.

One of the product's two plug-in shapes (the other is the extractor registry, chosen by the data).
"""

from __future__ import annotations

import threading
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

T = TypeVar("T")


class AliasHandler(Generic[T]):
    """Builds, once per process, the backend that a settings dictionary names for an alias.

    The setting looks like ``{"default": {"BACKEND": "dotted.path.Class", "OPTIONS": {...}}}``; OPTIONS become keyword
    arguments. Raises ImproperlyConfigured for an unknown alias or a class that is not a subclass of `base`.
    """

    def __init__(self, setting: str, base: type[T]) -> None:
        self._setting = setting
        self._base = base
        self._backends: dict[str, T] = {}
        self._lock = threading.Lock()
        setting_changed.connect(self._forget)

    def __getitem__(self, alias: str) -> T:
        with self._lock:
            if alias not in self._backends:
                self._backends[alias] = self._build(alias)
            return self._backends[alias]

    def aliases(self) -> list[str]:
        """Return the configured aliases."""
        return list(getattr(settings, self._setting))

    def _build(self, alias: str) -> T:
        try:
            entry: dict[str, Any] = getattr(settings, self._setting)[alias]
        except KeyError as exc:
            raise ImproperlyConfigured(f"{self._setting} has no entry {alias!r}: {self.aliases()}") from exc
        try:
            backend = import_string(entry["BACKEND"])
        except ImportError as exc:
            raise ImproperlyConfigured(f"{self._setting}[{alias!r}] names {entry['BACKEND']}: {exc}") from exc
        if not issubclass(backend, self._base):
            raise ImproperlyConfigured(f"{entry['BACKEND']} is not a {self._base.__name__}")
        return backend(**entry.get("OPTIONS", {}))  # type: ignore[no-any-return]  # import_string gives Any

    def _forget(self, *, setting: str, **_: object) -> None:
        if setting == self._setting:
            self._backends.clear()
