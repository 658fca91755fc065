"""The integrations application."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Connections to other services, their credentials, what models cost."""

    name = "integrations"
    verbose_name = "Integrations"
    default_auto_field = "django.db.models.BigAutoField"
