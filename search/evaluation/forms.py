"""What the evaluation page takes: one or two configurations, and a question with its files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import QueryDict

from search.evaluation.own_questions import LONGEST_QUESTION, MOST_FILES
from search.evaluation.runner import Configuration
from search.retrieval import Tuning


class ConfigurationForm(forms.Form):
    """A mode and its tuning; what is left empty is as the settings have it."""

    mode = forms.ChoiceField()
    weight = forms.FloatField(
        label="Weight of meaning",
        min_value=0,
        max_value=1,
        required=False,
        help_text="0: words alone. 1: meaning alone.",
    )
    depth = forms.IntegerField(
        label="Depth", min_value=10, max_value=1000, required=False, help_text="Candidates of each side; 50 at least."
    )

    def __init__(self, data: QueryDict | None = None, *, prefix: str, may_be_left: bool = False) -> None:
        super().__init__(data, prefix=prefix)
        mode: Any = self.fields["mode"]
        mode.required = not may_be_left
        mode.choices = [*([("", "none")] if may_be_left else []), *((name, name) for name in settings.SEARCH_MODES)]
        self.fields["weight"].initial = settings.SEARCH_WEIGHT
        self.fields["weight"].widget.attrs["step"] = "any"
        self.fields["depth"].initial = settings.SEARCH_DEPTH

    def configuration(self) -> Configuration | None:
        """Return what a valid form stands for; None where it was left out."""
        mode, weight, depth = (self.cleaned_data[name] for name in ("mode", "weight", "depth"))
        if not mode:
            return None
        tuning = Tuning(
            settings.SEARCH_WEIGHT if weight is None else weight, settings.SEARCH_DEPTH if depth is None else depth
        )
        return Configuration(mode, tuning)


class QuestionForm(forms.Form):
    """A question in the making. `name` is part of a file's name, to find the files by."""

    text = forms.CharField(
        label="Question",
        max_length=LONGEST_QUESTION,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )
    name = forms.CharField(
        label="Part of a file's name",
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, prefix="question")

    @property
    def part(self) -> str:
        """What was typed of a file's name, valid or not."""
        return str(self["name"].value() or "").replace("\x00", "")[:255]

    def file_ids(self) -> list[UUID]:
        """Return the files that are ticked, doubles and what is no id left out, one more than allowed at most."""
        ticked = self.data.getlist("files") if isinstance(self.data, QueryDict) else []
        return list(dict.fromkeys(filter(None, map(_as_id, ticked))))[: MOST_FILES + 1]


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
