"""Who a program acts for: `Authorization: Bearer …` (an access token) or `Authorization: Api-Key …`."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.tokens import Token

from orchestra.accounts import second_factor
from orchestra.accounts.models import ApiKey, User
from orchestra.accounts.services import key_digest

KEYWORD = "Api-Key"
EPOCH_CLAIM = "epoch"
_LAST_USED_EVERY = timedelta(minutes=1)


class TokenAuthentication(JWTAuthentication):
    """Authenticates by an access token, while nothing has ended what its user was given."""

    def get_user(self, validated_token: Token) -> User:  # type: ignore[override]  # the library says any user
        """Return the token's user. Raises AuthenticationFailed where the token, or its user, is no longer good."""
        user = cast(User, super().get_user(validated_token))
        # A token without the claim was made where nothing had been ended yet.
        if validated_token.get(EPOCH_CLAIM, 0) != user.epoch:
            raise AuthenticationFailed("This token was ended.", code="token_ended")
        if second_factor.is_missing(user):
            raise AuthenticationFailed("Staff need a second factor here.", code="two_factor_setup_required")
        return user


def key_of(plain: str) -> ApiKey | None:
    """Return the active key of an active user that this is, and note its use (once a minute)."""
    key = ApiKey.objects.select_related("user").filter(digest=key_digest(plain)).first()
    if key is None or not key.is_active or not key.user.is_active or second_factor.is_missing(key.user):
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _LAST_USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticates a program by its key."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Return user and key, or None when no key was sent. Raises AuthenticationFailed for a bad one."""
        keyword, _, plain = get_authorization_header(request).decode("latin-1").partition(" ")
        if keyword.lower() != KEYWORD.lower():
            return None
        key = key_of(plain.strip())
        if key is None:
            raise AuthenticationFailed("This API key is not valid or was revoked.")
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge for a 401."""
        return KEYWORD
