"""What the accounts API takes and gives."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.serializers import TokenRefreshSerializer

from orchestra.accounts.models import ApiKey, User
from orchestra.common.lines import one_line

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UserSerializer(serializers.ModelSerializer[User]):
    """The signed-in user about themselves."""

    quota = serializers.IntegerField(source="effective_quota", read_only=True, help_text="Bytes; 0 means no limit.")

    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "preferences", "quota", "is_staff")
        read_only_fields = ("id", "username", "is_staff")

    def validate_first_name(self, value: str) -> str:
        """Keep what can be seen."""
        return one_line(value)

    validate_last_name = validate_first_name

    def validate_preferences(self, value: object) -> object:
        """Refuse what PostgreSQL's JSON cannot hold."""
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                waiting += [*each, *each.values()]
            elif isinstance(each, list):
                waiting += each
            elif isinstance(each, str) and _UNSTORABLE.search(each):
                raise serializers.ValidationError("Texts may have no NUL and no half of a surrogate pair.")
        return value


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key without its secret."""

    class Meta:
        model = ApiKey
        fields = ("id", "name", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at")
        read_only_fields = ("id", "prefix", "created_at", "last_used_at", "revoked_at")

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        """Refuse a time that is over: the key would never open anything."""
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("Write a time to come, or leave it out.")
        return value


class CreatedApiKeySerializer(ApiKeySerializer):
    """A new key with its secret, shown once."""

    key = serializers.CharField(read_only=True, help_text="The key itself. It is not shown again.")

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")  # type: ignore[assignment]  # one field longer than the parent's


class TicketSerializer(serializers.Serializer[object]):
    """A one-time ticket for /ws/status/?ticket=…"""

    ticket = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds.")


class RotatedTokensSerializer(TokenRefreshSerializer):
    """A refresh token for a new pair; it must pass every test that an access token of its user would."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Return the new pair. Raises AuthenticationFailed after a change of password, or for a user who is gone."""
        JWTAuthentication().get_user(self.token_class(attrs["refresh"]))
        return super().validate(attrs)


class RefreshTokenSerializer(serializers.Serializer[object]):
    """A refresh token to revoke."""

    refresh = serializers.CharField(write_only=True)
