"""The personas application."""

from django.apps import AppConfig


class PersonasConfig(AppConfig):
    """Who answers: manner, model, and what is searched."""

    name = "personas"
    verbose_name = "Personas"
    default_auto_field = "django.db.models.BigAutoField"
