"""The forms of the sign-in and account pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from orchestra.accounts.models import User
from orchestra.accounts.sign_in import TooManySignIns


class SignInForm(AuthenticationForm):
    """Name and password; says so when they were not looked at."""

    def clean(self) -> dict[str, Any]:
        """Sign in. Raises ValidationError with the error's code."""
        try:
            return super().clean()
        except TooManySignIns as error:
            raise ValidationError(f"{error.message} {error.hint}", code=error.code) from error


class ProfileForm(forms.ModelForm[User]):
    """How one is called."""

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email")
        labels = {"email": "E-mail"}
        widgets = {
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
        }
