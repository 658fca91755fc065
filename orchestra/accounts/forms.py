"""The forms of the sign-in and account pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from orchestra.accounts.models import User
from orchestra.accounts.sign_in import TooManySignIns

GIGABYTE = 1024**3


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


class InvitedForm(BaseUserCreationForm[User]):
    """How somebody who was invited wants to be called."""

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email")
        labels = {"username": "User name", "email": "E-mail"}


class SizeField(forms.DecimalField):
    """Bytes, written in gigabytes; empty is None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=2**33, decimal_places=3, required=False, **options)

    def clean(self, value: Any) -> int | None:
        """Return bytes."""
        cleaned = super().clean(value)
        return None if cleaned is None else round(cleaned * GIGABYTE)

    def prepare_value(self, value: Any) -> Any:
        """Show bytes as gigabytes, and what was typed as it was typed."""
        return f"{value / GIGABYTE:g}" if isinstance(value, int) else value


class QuotaForm(forms.Form):
    """How much somebody may store."""

    quota = SizeField(label="Storage in GB", help_text="Empty: what everybody may. 0: no limit.")


class InviteForm(forms.Form):
    """Whom to invite, and with what."""

    note = forms.CharField(label="Whom it is for", max_length=100, help_text="For your list; it is not shown to them.")
    quota = SizeField(label="Storage in GB", help_text="Empty: what everybody may. 0: no limit.")
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"), required=False, widget=forms.CheckboxSelectMultiple
    )
