"""What the list of files is asked: filters and sort, as they stand in its address, in a saved view, and in its form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import get_language_info

from files.listing import LARGEST, NEWEST, SORTS, Wanted, languages_of, matching, tags_of
from files.models import LONGEST_QUERY, FileRecord, FileStatus
from orchestra.common.keyed_pages import Order
from personas.rules import KINDS

_SORT_LABELS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "name": "By name",
    "largest": "Largest first",
    "smallest": "Smallest first",
    "state": "By state",
}
_UNITS = {"": 1, "b": 1, "byte": 1, "bytes": 1, "k": 1024, "kb": 1024, "m": 1024**2, "mb": 1024**2}
_UNITS |= {"g": 1024**3, "gb": 1024**3, "t": 1024**4, "tb": 1024**4}
_SIZE = re.compile(r"\s*([0-9]{1,19}(?:[.,][0-9]{1,6})?)\s*([a-z]{0,5})\s*", re.IGNORECASE | re.ASCII)


class SizeField(forms.Field):
    """A size as people write it, "1.5 MB", or a number of bytes; its value is bytes."""

    def to_python(self, value: Any) -> Any:
        """Return bytes, or None where nothing is said."""
        text = str(value or "").strip()
        if not text:
            return None
        found = _SIZE.fullmatch(text)
        unit = _UNITS.get(found[2].lower()) if found else None
        if not found or unit is None:
            raise ValidationError("Write a size like 500 KB or 1.5 MB.")
        return min(LARGEST, int(float(found[1].replace(",", ".")) * unit))

    def prepare_value(self, value: Any) -> Any:
        """Show a number of bytes, as a saved view has it, in a unit that takes nothing away."""
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else 0
        for name, unit in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
            if number >= unit and not number * 100 % unit:
                return f"{number / unit:g} {name}"
        return value


def _day(label: str) -> forms.DateField:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"])


def _size(label: str) -> SizeField:
    return SizeField(label=label, required=False, widget=forms.TextInput({"placeholder": "1.5 MB"}))


class ListForm(forms.Form):
    """Filters and sort of the list. What cannot be read is said beside its field, and does not narrow."""

    status = forms.MultipleChoiceField(
        choices=FileStatus.choices, required=False, widget=forms.MultipleHiddenInput, label="State"
    )
    name = forms.CharField(
        label="Part of the name",
        required=False,
        max_length=255,
        widget=forms.TextInput({"type": "search", "dir": "auto", "placeholder": "Filter by name"}),
    )
    sort = forms.ChoiceField(label="Sort", required=False, choices=list(_SORT_LABELS.items()))
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[("", "All kinds"), *((kind, kind.capitalize()) for kind in KINDS)]
    )
    tag = forms.CharField(
        label="Tag", required=False, max_length=50, widget=forms.TextInput({"list": "tags", "dir": "auto"})
    )
    language = forms.CharField(label="Language", required=False, max_length=16)
    uploaded_from = _day("Uploaded from")
    uploaded_to = _day("Uploaded until")
    size_min = _size("Size from")
    size_max = _size("Size up to")

    def __init__(self, data: QueryDict, *, choose_from: QuerySet[FileRecord] | None = None) -> None:
        """Read an address. `choose_from`: the files whose tags and languages the fields offer."""
        super().__init__(data, auto_id="filter-%s")
        self.tags: list[str] = []
        if choose_from is not None:
            self.tags = tags_of(choose_from)
            self._offer_languages(languages_of(choose_from), data.get("language", ""))
        self.full_clean()

    def _offer_languages(self, codes: list[str], chosen: str) -> None:
        every = codes if not chosen or chosen in codes else [*codes, chosen]
        choices = [("", "All languages"), *((code, _language(code)) for code in every)]
        self.fields["language"].widget = forms.Select(choices=choices)

    def wanted(self) -> Wanted:
        """Return the filters, without what could not be read."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "sort"}
        return Wanted(**{**said, "status": tuple(said.get("status", ()))})

    @property
    def sort_name(self) -> str:
        """The name of the sort."""
        return self.cleaned_data.get("sort") or NEWEST

    @property
    def order(self) -> Order:
        """The sort."""
        return SORTS[self.sort_name]

    def narrow(self, files: QuerySet[FileRecord]) -> QuerySet[FileRecord]:
        """Return the files that match."""
        return matching(files, self.wanted())

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield filters and sort as an address holds them, in a fixed order."""
        for name in self.fields:
            value = self.cleaned_data.get(name)
            if name == "sort" and self.sort_name == NEWEST:
                continue
            for one in value if isinstance(value, list) else [value] if value not in ("", None) else []:
                yield name, str(one)

    @property
    def query(self) -> str:
        """The same for the same filters and sort, however an address wrote them."""
        return urlencode(list(self.pairs()))

    @property
    def more_chosen(self) -> int:
        """How many of the filters that are folded away narrow or are wrong."""
        folded = ("kind", "tag", "language", "uploaded_from", "uploaded_to", "size_min", "size_max")
        return sum(self.cleaned_data.get(name) not in ("", None) or name in self.errors for name in folded)


def _language(code: str) -> str:
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return code


class NewViewForm(forms.Form):
    """The name of a view to save, and what it shows."""

    name = forms.CharField(max_length=60)
    query = forms.CharField(required=False, max_length=LONGEST_QUERY)
