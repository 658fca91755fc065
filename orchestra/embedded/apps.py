"""The app that brings the commands `run`, `stop` and `services`; it has no models."""

from __future__ import annotations

from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    """Name the app."""

    name = "orchestra.embedded"
    label = "embedded"
