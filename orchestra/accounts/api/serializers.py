"""What the accounts API takes and gives."""

from __future__ import annotations

import re
from typing import Any, cast

from django.contrib.auth.models import update_last_login
from rest_framework import serializers
from rest_framework_simplejwt.serializers import (
    TokenObtainPairSerializer,
    TokenObtainSerializer,
    TokenRefreshSerializer,
)
from rest_framework_simplejwt.tokens import RefreshToken

from orchestra.accounts import second_factor, second_step
from orchestra.accounts.authentication import EPOCH_CLAIM, TokenAuthentication
from orchestra.accounts.errors import TwoFactorRequired, TwoFactorSetupRequired
from orchestra.accounts.models import ApiKey, User
from orchestra.common.lines import one_line
from orchestra.common.strict import Serializer, StrictTypes

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UserSerializer(StrictTypes, serializers.ModelSerializer[User]):
    """The signed-in user about themselves."""

    preferences = serializers.DictField(required=False, help_text="Anything that a page of yours remembers.")
    quota = serializers.IntegerField(source="effective_quota", read_only=True, help_text="Bytes; 0 means no limit.")

    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "preferences", "quota", "is_staff")
        read_only_fields = ("id", "username", "is_staff")

    def validate_first_name(self, value: str) -> str:
        """Keep what can be seen."""
        return one_line(value)

    validate_last_name = validate_first_name

    def validate_preferences(self, value: dict[str, Any]) -> dict[str, Any]:
        """Refuse what PostgreSQL's JSON cannot hold."""
        waiting: list[Any] = [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                waiting += [*each, *each.values()]
            elif isinstance(each, list):
                waiting += each
            elif isinstance(each, str) and _UNSTORABLE.search(each):
                raise serializers.ValidationError("Texts may have no NUL and no half of a surrogate pair.")
        return value


class ApiKeySerializer(StrictTypes, serializers.ModelSerializer[ApiKey]):
    """A key without its secret."""

    class Meta:
        model = ApiKey
        fields = ("id", "name", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at")
        read_only_fields = ("id", "prefix", "created_at", "last_used_at", "revoked_at")


class CreatedApiKeySerializer(ApiKeySerializer):
    """A new key with its secret, shown once."""

    key = serializers.CharField(read_only=True, help_text="The key itself. It is not shown again.")

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")  # type: ignore[assignment]  # one field longer than the parent's


class TicketSerializer(serializers.Serializer[object]):
    """A one-time ticket for /ws/status/?ticket=…"""

    ticket = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds.")


class FirstTokensSerializer(TokenObtainPairSerializer):
    """Name and password for a pair of tokens; the code too where the account has a second factor."""

    code = serializers.CharField(
        write_only=True,
        required=False,
        max_length=40,
        help_text="Of the authenticator, or a recovery code; for accounts with a second factor.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The library's field cuts blanks off; a page takes a password as it is.
        cast(serializers.CharField, self.fields["password"]).trim_whitespace = False

    @classmethod
    def get_token(cls, user: User) -> RefreshToken:  # type: ignore[override]  # the library's says any user
        """Return a refresh token that ends with whatever ends the user's credentials."""
        token = RefreshToken.for_user(user)
        token[EPOCH_CLAIM] = user.epoch
        return token

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Return the pair.

        Raises AuthenticationFailed, TooManySignIns, TwoFactorRequired, TwoFactorCodeWrong, or TwoFactorSetupRequired.
        """
        # The class above makes the tokens together with looking at the password: too early here.
        TokenObtainSerializer.validate(self, attrs)
        user = cast(User, self.user)
        if second_factor.is_on(user):
            if not attrs.get("code"):
                raise TwoFactorRequired
            second_step.pass_with_code(user, attrs["code"], self.context["request"].META.get("REMOTE_ADDR"))
        elif second_factor.is_missing(user):
            raise TwoFactorSetupRequired
        refresh = self.get_token(user)
        update_last_login(None, user)  # type: ignore[arg-type]  # the sender is not looked at
        return {"refresh": str(refresh), "access": str(refresh.access_token)}


class TokensSerializer(serializers.Serializer[object]):
    """A pair of tokens."""

    access = serializers.CharField(help_text="Goes into the header Authorization, after `Bearer`; lives 10 minutes.")
    refresh = serializers.CharField(help_text="Gives the next pair, once; lives 14 days.")


class RotatedTokensSerializer(TokenRefreshSerializer):
    """A refresh token for a new pair; it must pass every test that an access token of its user would."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Return the new pair. Raises AuthenticationFailed after a change of password, or for a user who is gone."""
        TokenAuthentication().get_user(self.token_class(attrs["refresh"]))
        return super().validate(attrs)


class RefreshTokenSerializer(Serializer[object]):
    """A refresh token to revoke."""

    refresh = serializers.CharField(write_only=True)
