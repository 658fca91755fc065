"""What the search pages take beside the question: which files are searched, and which modes are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from orchestra.accounts.models import User
from personas.rules import KINDS
from search.modes.base import SearchMode
from search.retrieval import Scope
from search.services import MAX_QUERY

_MOST_TAGS = 20


def _day(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))


class FiltersForm(forms.Form):
    """Which files are searched. What is left empty does not narrow."""

    kinds = forms.MultipleChoiceField(
        label="Kinds of files",
        choices=[(kind, kind.capitalize()) for kind in KINDS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    tags = forms.CharField(
        max_length=1000,
        required=False,
        widget=forms.TextInput({"dir": "auto", "autocomplete": "off"}),
        help_text="Separated by commas. A file must have all of them.",
    )
    added_from = _day("Added on this day or later")
    added_to = _day("Added on this day or earlier")

    @property
    def count(self) -> int:
        """How many of the filters narrow."""
        return sum(map(bool, self.cleaned_data.values())) if self.is_valid() else 0

    def scope(self, user: User) -> Scope:
        """Return which of the user's files a valid form leaves."""
        said = self.cleaned_data
        first, last = said["added_from"], said["added_to"]
        return Scope(
            user.pk,
            kinds=tuple(said["kinds"]),
            tags=self._tags(),
            added_from=_begin(first) if first else None,
            added_before=_begin(last + timedelta(days=1)) if last and last < date.max else None,
        )

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the filters as an address holds them, the wrong ones left out."""
        for name, value in self.cleaned_data.items() if self.is_bound and self.is_valid() else ():
            for one in value if isinstance(value, list) else [value] if value else []:
                yield name, str(one)

    def _tags(self) -> tuple[str, ...]:
        return tuple(filter(None, (tag.strip() for tag in self.cleaned_data["tags"].split(","))))[:_MOST_TAGS]


class CompareForm(forms.Form):
    """A question, and the two modes that it is put to."""

    q = forms.CharField(
        label="Question",
        max_length=MAX_QUERY,
        widget=forms.TextInput({"type": "search", "dir": "auto", "autocomplete": "off"}),
    )
    first = forms.ChoiceField(label="One mode")
    second = forms.ChoiceField(label="Another mode")

    def __init__(self, data: QueryDict | None, allowed: Sequence[SearchMode], **more: Any) -> None:
        super().__init__(data, **more)
        for name in ("first", "second"):
            field: Any = self.fields[name]
            field.choices = [(mode.name, mode.name.replace("_", " ").capitalize()) for mode in allowed]

    def clean(self) -> dict[str, Any]:
        """Refuse to compare a mode with itself."""
        said = super().clean() or self.cleaned_data
        if said.get("first") and said.get("first") == said.get("second"):
            self.add_error("second", "Choose two modes that differ.")
        return said


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
