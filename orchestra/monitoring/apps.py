"""The monitoring application."""

from django.apps import AppConfig
from django.core import checks


class MonitoringConfig(AppConfig):
    """Health, doctor, figures, the status page."""

    name = "orchestra.monitoring"
    label = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        """Register the checks of the parts below all applications."""
        import celery_app  # noqa: F401  # makes it the application of shared_task in every process
        from orchestra.monitoring import figures, floors, infrastructure

        checks.register(floors.check_packages)
        infrastructure.register()
        figures.register()
