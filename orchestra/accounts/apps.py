"""The accounts application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, tokens, API keys, sign-in pages."""

    name = "orchestra.accounts"
    label = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Teach OpenAPI our authentication scheme, and listen to what is audited and which tokens are stored."""
        from orchestra.accounts import audit, browser_sessions, stored_tokens  # noqa: F401  # receive signals
        from orchestra.accounts.api import openapi  # noqa: F401  # registers itself on import
