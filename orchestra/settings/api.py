"""REST framework, tokens, OpenAPI."""

from __future__ import annotations

from datetime import timedelta

from orchestra.settings.processing import SEARCH_MODES
from orchestra.settings.security import JWT_SIGNING_KEY

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "orchestra.accounts.authentication.TokenAuthentication",
        "orchestra.accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "orchestra.common.pagination.PageNumberPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "orchestra.common.browsable_api.BrowsableRenderer",
    ],
    "EXCEPTION_HANDLER": "orchestra.common.api_errors.exception_handler",
    "DEFAULT_PARSER_CLASSES": [
        "orchestra.common.parsing.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SIMPLE_JWT = {
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ALGORITHM": "HS256",
    "ISSUER": "orchestra",
    "AUDIENCE": "orchestra-api",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    # A changed password ends every token that was given out before.
    "CHECK_REVOKE_TOKEN": True,
    "TOKEN_OBTAIN_SERIALIZER": "orchestra.accounts.api.serializers.FirstTokensSerializer",
    "TOKEN_REFRESH_SERIALIZER": "orchestra.accounts.api.serializers.RotatedTokensSerializer",
    "UPDATE_LAST_LOGIN": True,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Orchestra",
    "DESCRIPTION": "Upload files, watch them being read, find every passage by meaning and by word.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/",
    "ENUM_NAME_OVERRIDES": {
        "ModeEnum": [(alias, alias) for alias in SEARCH_MODES],
        "DeliveryStateEnum": "files.models.DeliveryState",
        "WebhookEventEnum": "files.models.WebhookEvent",
    },
}
