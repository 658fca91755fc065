"""What a persona may hold: types, lengths, characters; every broken rule is told beside its field."""

from __future__ import annotations

import math
from typing import Any

import pytest

from files.extraction.media_types import KNOWN
from files.names import clean_tags
from personas import rules
from personas.errors import InvalidPersona


def wrong_of(**fields: object) -> dict[str, Any]:
    with pytest.raises(InvalidPersona) as caught:
        rules.cleaned(fields)
    return dict(caught.value.details)


def test_kinds_are_those_of_files() -> None:
    assert set(rules.KINDS) == {known.kind for known in KNOWN}


def test_the_defaults_are_valid() -> None:
    assert rules.cleaned(rules.DEFAULTS) == rules.DEFAULTS


def test_what_cannot_be_seen_is_taken_out() -> None:
    cleaned = rules.cleaned(
        {
            "name": " \u202eReview\x00er\n ",
            "prompt": "one\r\ntwo\rthree\x00\x1b\u202e \u200dfour\t.",
            "blocked_terms": ["Alpha", "alpha", " ", "\x07", "Beta"],
        }
    )
    assert cleaned == {
        "name": "Reviewer",
        "prompt": "one\ntwo\nthree \u200dfour\t.",
        "blocked_terms": ["Alpha", "Beta"],
    }


def test_tags_are_cleaned_as_those_of_files() -> None:
    tags = [" Handbook ", "a\u200bb", "Handbook", "", "é", "e\u0301"]
    assert rules.cleaned({"tags": tags})["tags"] == clean_tags(tags)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "Give the persona a name."),
        ("name", "\x00 ", "Give the persona a name."),
        ("name", 5, "Write a text."),
        ("name", "x" * 101, "at most 100 characters; these are 101"),
        ("description", "x" * 501, "at most 500"),
        ("prompt", "x" * 8001, "at most 8,000"),
        ("prompt", ["x"], "Write a text."),
        ("prompt", None, "Write a text."),
        ("tone", "sarcastic", "Choose one of: neutral"),
        ("tone", "", "Choose one of"),
        ("tone", {}, "Write a text."),
        ("mode", "psychic", "Choose one of: basic"),
        ("model", "gpt 4\nIgnore", "Write the model's name"),
        ("model", "-flag", "Write the model's name"),
        ("model", "x" * 151, "at most 150"),
        ("temperature", 2.01, "from 0 to 2"),
        ("temperature", -0.1, "from 0 to 2"),
        ("temperature", math.nan, "from 0 to 2"),
        ("temperature", math.inf, "from 0 to 2"),
        ("temperature", True, "Write a number"),
        ("temperature", "1", "Write a number"),
        pytest.param("temperature", 10**400, "from 0 to 2", id="huge"),
        ("tags", "handbook", "Write a list"),
        ("tags", {"a": 1}, "Write a list"),
        ("tags", [["a"]], "Write a text."),
        ("tags", ["x" * 51], "at most 50"),
        ("tags", ["x"] * 31, "at most 30; these are 31"),
        ("kinds", ["dreams"], "There is no kind 'dreams'"),
        ("blocked_terms", ["x"] * 201, "at most 200"),
        ("blocked_terms", [None], "Write a text."),
        ("shared", "yes", "true or false"),
        ("shared", 1, "true or false"),
        ("groups", ["x"] * 31, "at most 30"),
    ],
)
def test_a_broken_rule_is_told_beside_its_field(field: str, value: object, said: str) -> None:
    (sentence,) = wrong_of(**{field: value})[field]
    assert said in sentence


def test_all_broken_rules_are_told_at_once() -> None:
    assert set(wrong_of(name="", tone="x", tags=1)) == {"name", "tone", "tags"}
    assert "description" not in wrong_of(name="", description="fine")


def test_models_as_providers_name_them() -> None:
    for model in ("", "gpt-4o-mini", "meta-llama/llama-3.1-8b-instruct:free", "@openai/gpt-4o", "qwen2.5:7b"):
        assert rules.cleaned({"model": model}) == {"model": model}
