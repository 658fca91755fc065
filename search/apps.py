"""The search application."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Chunks, vectors, keywords, ranking."""

    name = "search"
    verbose_name = "Search"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register this application's health checks and invariants."""
        from search import health, metrics, verifying

        health.register()
        metrics.register()
        verifying.register()
