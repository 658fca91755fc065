"""What the editor takes. A form turns lines into lists; what a persona may hold is checked by `personas.rules`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from orchestra.accounts.models import User
from personas import rules, selectors
from personas.errors import InvalidPersona
from personas.models import Persona
from personas.prompting import TONES

_ONE_LINE = {"dir": "auto", "autocomplete": "off"}
_LISTS = ("tags", "blocked_terms")


class PersonaForm(forms.Form):
    """A persona in the making."""

    name = forms.CharField(max_length=rules.LONGEST_NAME, widget=forms.TextInput(attrs=_ONE_LINE))
    description = forms.CharField(
        max_length=rules.LONGEST_DESCRIPTION,
        required=False,
        widget=forms.TextInput(attrs=_ONE_LINE),
        help_text="What it is good for, for those who choose one.",
    )
    prompt = (
        forms.CharField(  # no max_length of the field's own: it would count the two characters of a sent line break
            label="Instructions",
            required=False,
            widget=forms.Textarea(attrs={"rows": 10, "dir": "auto", "maxlength": rules.LONGEST_PROMPT}),
            help_text="What a language model is told of its task and manner. Without a model they have no effect.",
        )
    )
    tone = forms.ChoiceField(choices=[(tone, tone.capitalize()) for tone in TONES], initial=rules.DEFAULTS["tone"])
    mode = forms.ChoiceField(label="Search mode", required=False, help_text="Used where a search names none.")
    model = forms.CharField(
        max_length=rules.LONGEST_MODEL,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="As its provider names it. Empty: the one that is configured, as always in private and uncensored.",
    )
    temperature = forms.FloatField(
        min_value=0,
        max_value=rules.HIGHEST_TEMPERATURE,
        required=False,
        help_text="0: the same words each time. 2: the most varied. Empty: as usual.",
    )
    tags = forms.CharField(
        max_length=rules.MOST_TAGS * (rules.LONGEST_TAG + 2),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text="One a line. Only files with one of them are searched. Empty: all files of the one who asks.",
    )
    kinds = forms.MultipleChoiceField(
        label="Kinds of files",
        choices=[(kind, kind.capitalize()) for kind in rules.KINDS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only files of these kinds are searched. None chosen: files of every kind.",
    )
    blocked_terms = forms.CharField(
        max_length=rules.MOST_TERMS * (rules.LONGEST_TERM + 2),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text="One a line. Left out of what is shown and of what a model reads.",
    )
    shared = forms.BooleanField(label="Share with everyone", required=False)
    groups = forms.MultipleChoiceField(
        label="Share with groups", required=False, widget=forms.CheckboxSelectMultiple, help_text="Groups of yours."
    )

    def __init__(self, user: User, data: QueryDict | None = None, persona: Persona | None = None) -> None:
        super().__init__(data, initial=initial_of(persona) if persona else None)
        modes: Any = self.fields["mode"]
        groups: Any = self.fields["groups"]
        modes.choices = [("", "No choice"), *((mode, mode.replace("_", " ").capitalize()) for mode in rules.modes())]
        names = [group.name for group in selectors.groups_of(user)]
        shared_with = [group.name for group in persona.groups.order_by("name")] if persona else []
        groups.choices = [(name, name) for name in dict.fromkeys([*names, *shared_with])]

    @property
    def who(self) -> list[forms.BoundField]:
        """The fields that say what it is."""
        return [self[name] for name in ("name", "description")]

    @property
    def manner(self) -> list[forms.BoundField]:
        """The fields that say how it answers."""
        return [self[name] for name in ("prompt", "tone", "mode", "model", "temperature")]

    @property
    def scope(self) -> list[forms.BoundField]:
        """The fields that say what it searches and leaves out."""
        return [self[name] for name in ("tags", "kinds", "blocked_terms")]

    def values(self) -> dict[str, Any]:
        """Return what a valid form says, as the services take it."""
        values = dict(self.cleaned_data)
        for name in _LISTS:
            values[name] = [line for line in values[name].splitlines() if line.strip()]
        return values

    def add_wrong(self, error: InvalidPersona) -> None:
        """Put the sentences of a broken rule beside its field."""
        for name, said in error.by_field.items():
            self.add_error(name, said)


def initial_of(persona: Persona) -> dict[str, Any]:
    """Return a persona as the form shows it."""
    fields = {name: getattr(persona, name) for name in (*rules.PORTABLE, "shared")}
    lists = {name: "\n".join(fields[name]) for name in _LISTS}
    return {**fields, **lists, "groups": [group.name for group in persona.groups.all()]}
