"""The forms of the sign-in pages."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from orchestra.accounts.sign_in import TooManySignIns


class SignInForm(AuthenticationForm):
    """Name and password; says so when they were not looked at."""

    def clean(self) -> dict[str, Any]:
        """Sign in. Raises ValidationError with the error's code."""
        try:
            return super().clean()
        except TooManySignIns as error:
            raise ValidationError(f"{error.message} {error.hint}", code=error.code) from error


class AdminSignInForm(SignInForm, AdminAuthenticationForm):
    """The same for the admin, which lets staff in."""
