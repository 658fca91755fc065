"""The one place where passwords are looked at: pages, admin and API come through here."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from orchestra.accounts import audit, second_factor, second_step, sign_in
from orchestra.accounts.models import AuditAction, User


class PasswordBackend(ModelBackend):
    """Django's own, behind a limit of tries."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the user whose name and password these are; whoever asks for that asks for the second factor too.

        Raises TooManySignIns before it looks at the password.
        """
        if username is None or password is None:
            return super().authenticate(request, username, password, **kwargs)
        attempt = sign_in.Attempt(username, request.META.get("REMOTE_ADDR") if request is not None else None)
        sign_in.admit(attempt)
        user = super().authenticate(request, username, password, **kwargs)
        if user is None:
            audit.record(AuditAction.SIGN_IN_FAILED, subject=f"tries of {attempt.by_account[:12]}")
        elif not second_factor.is_on(user):
            second_step.note_sign_in(user, attempt)
        return user
