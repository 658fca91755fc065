"""The form of a connection: one field for each that its provider has. What a value may be, the services check."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from integrations import services
from integrations.base import Field, Provider
from integrations.errors import ConnectionInvalid
from integrations.models import ExternalIntegration

_VALUE = "value_"
_FORGET = "forget_"
_KEPT = "It is stored, encrypted. Leave this empty to keep it."
_MOVES = "When it changes, the secrets must be entered again."
_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class ConnectionForm(forms.Form):
    """A connection in the making, or one that is changed. A secret is taken and never given back."""

    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
        help_text="What you call it here.",
    )

    def __init__(
        self,
        provider: Provider,
        data: QueryDict | None = None,
        *,
        connection: ExternalIntegration | None = None,
        may_share: bool = False,
    ) -> None:
        """Take the provider, what was sent, what is stored, and whether who asks may make it the installation's."""
        super().__init__(data)
        self.provider = provider
        self._stored = frozenset() if connection is None else services.stored_secrets(connection)
        self._fields = {f"{_VALUE}{field.name}": field for field in provider.fields}
        self.fields["name"].initial = provider.label if connection is None else connection.name
        for name, field in self._fields.items():
            stored = field.name in self._stored
            self.fields[name] = _form_field(field, stored=stored, changes=connection is not None)
            if connection is not None and not field.secret:
                self.fields[name].initial = connection.config.get(field.name, field.default)
            if stored and not field.required:
                self.fields[f"{_FORGET}{field.name}"] = forms.BooleanField(
                    required=False, label=f"Remove the stored {field.label.lower()}"
                )
        if may_share and not provider.personal and connection is None:
            self.fields["installation"] = forms.BooleanField(
                required=False,
                label="For everybody",
                help_text="It answers for all users. They see its name and whether it works, and nothing else.",
            )

    @property
    def secrets_typed(self) -> bool:
        """Whether a secret came that the page does not give back."""
        return any(field.secret and self.data.get(name) for name, field in self._fields.items())

    def values(self) -> dict[str, str]:
        """Return what a valid form says of the provider's fields; a secret that stays is not among them."""
        said = {field.name: self.cleaned_data[name] for name, field in self._fields.items()}
        kept = {name for name in self._stored if not said[name] and not self.cleaned_data.get(f"{_FORGET}{name}")}
        return {name: value for name, value in said.items() if name not in kept}

    def add_wrong(self, error: ConnectionInvalid) -> None:
        """Put the sentences of the services beside their fields."""
        for name, said in error.details.items():
            known = f"{_VALUE}{name}" in self.fields
            self.add_error(f"{_VALUE}{name}" if known else None, str(said))


def _form_field(field: Field, *, stored: bool, changes: bool) -> forms.Field:
    """Return the field as a form has it. Nothing is required here: the services say what is missing."""
    help_text = " ".join(filter(None, (_KEPT if stored else field.help, _MOVES if field.leads and changes else "")))
    shared: dict[str, Any] = {"label": field.label, "required": False, "help_text": help_text}
    if field.choices:
        choices = [(choice, choice.capitalize()) for choice in field.choices]
        return forms.ChoiceField(choices=choices, initial=field.default, **shared)
    needed = {"required": True} if field.required and not stored else {}
    if field.secret:
        # No browser's word: a password manager would fill in the one of this site.
        shown = {"placeholder": "Stored"} if stored else {}
        secret = forms.PasswordInput(attrs={**_PLAIN, **needed, **shown, "autocomplete": "new-password"})
        return forms.CharField(widget=secret, strip=True, **shared)
    return forms.CharField(initial=field.default, widget=forms.TextInput(attrs={**_PLAIN, **needed}), **shared)
