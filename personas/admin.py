"""Personas in the built-in admin: checked by the same rules as elsewhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.http import HttpRequest

from personas import rules
from personas.errors import InvalidPersona
from personas.models import DefaultPersona, Persona


class PersonaAdminForm(forms.ModelForm[Persona]):
    """A persona, checked by `personas.rules`."""

    class Meta:
        model = Persona
        fields = ("owner", *rules.PORTABLE, "shared", "groups")

    def clean(self) -> dict[str, Any]:
        """Put each broken rule beside its field."""
        data = super().clean() or self.cleaned_data
        checked = {name: data[name] for name in rules.PORTABLE if name in data}
        try:
            return {**data, **rules.cleaned(checked)}
        except InvalidPersona as exc:
            raise ValidationError(exc.by_field) from exc


@admin.register(Persona)
class PersonaAdmin(admin.ModelAdmin[Persona]):
    """Personas of everybody; those without an owner are the installation's."""

    form = PersonaAdminForm
    list_display = ("name", "owner", "tone", "mode", "model", "shared", "updated_at")
    list_filter = ("shared", "tone", "mode")
    search_fields = ("name", "description", "owner__username")
    list_select_related = ("owner",)
    autocomplete_fields = ("owner",)
    filter_horizontal = ("groups",)

    def save_model(self, request: HttpRequest, obj: Persona, form: Any, change: bool) -> None:
        """Save, with the database's time of the change."""
        super().save_model(request, obj, form, change)
        Persona.objects.filter(pk=obj.pk).update(updated_at=Now())


@admin.register(DefaultPersona)
class DefaultPersonaAdmin(admin.ModelAdmin[DefaultPersona]):
    """Which persona each user's questions are asked with."""

    list_display = ("user", "persona")
    search_fields = ("user__username", "persona__name")
    list_select_related = ("user", "persona")
    autocomplete_fields = ("user", "persona")
