"""Describes our authentication to OpenAPI."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its __init_subclass__ is untyped
    """`Authorization: Api-Key orc_…`."""

    target_class = "orchestra.accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme's OpenAPI object."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key orc_…`, made on the account page.",
        }


class TokenScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]  # its __init_subclass__ is untyped
    """`Authorization: Bearer …`."""

    target_class = "orchestra.accounts.authentication.TokenAuthentication"
