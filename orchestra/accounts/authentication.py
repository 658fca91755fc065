"""`Authorization: Api-Key …` for the REST API."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from orchestra.accounts.models import ApiKey, User
from orchestra.accounts.services import key_digest

KEYWORD = "Api-Key"
_LAST_USED_EVERY = timedelta(minutes=1)


def user_of_api_key(plain: str) -> User | None:
    """Return the active user whose active key this is, and note its use (once a minute)."""
    key = ApiKey.objects.select_related("user").filter(digest=key_digest(plain)).first()
    if key is None or not key.is_active or not key.user.is_active:
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _LAST_USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key.user


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticates a program by its key."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        """Return (user, "api-key"), or None when no key was sent. Raises AuthenticationFailed for a bad one."""
        keyword, _, plain = get_authorization_header(request).decode("latin-1").partition(" ")
        if keyword.lower() != KEYWORD.lower():
            return None
        user = user_of_api_key(plain.strip())
        if user is None:
            raise AuthenticationFailed("This API key is not valid or was revoked.")
        return user, "api-key"

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge for a 401."""
        return KEYWORD
