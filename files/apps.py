"""The files application."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Uploads, the job pipeline, extraction, status."""

    name = "files"
    verbose_name = "Files"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register this application's health checks."""
        from files import health

        health.register()
