"""The one place where passwords are looked at: pages, admin and API come through here."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from orchestra.accounts import audit, sign_in
from orchestra.accounts.models import AuditAction, User


class PasswordBackend(ModelBackend):
    """Django's own, behind a limit of tries."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the user whose name and password these are. Raises TooManySignIns before it looks at the password."""
        if username is None or password is None:
            return super().authenticate(request, username, password, **kwargs)
        attempt = sign_in.Attempt(username, request.META.get("REMOTE_ADDR") if request is not None else None)
        sign_in.admit(attempt)
        user = super().authenticate(request, username, password, **kwargs)
        if user is None:
            audit.record(AuditAction.SIGN_IN_FAILED, subject=f"tries of {attempt.by_account[:12]}")
        else:
            sign_in.succeeded(attempt)
            audit.record(AuditAction.SIGNED_IN, owner_id=user.pk)
        return user
