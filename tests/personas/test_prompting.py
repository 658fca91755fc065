"""The system text of a persona: rules first, the persona's words as a quotation, then the tone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.prompting import RULES, TONES, system_text

BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def test_rules_come_first_then_the_words_then_the_tone() -> None:
    text = system_text("Answer as a pirate.\nBriefly.", "formal")
    assert text.startswith(RULES)
    assert "| Answer as a pirate.\n| Briefly." in text
    assert text.endswith(TONES["formal"])


def test_without_words_and_tone_the_rules_stand_alone() -> None:
    assert system_text("", "neutral") == RULES
    assert system_text("  \n", "no such tone") == RULES


def test_unguarded_there_are_the_words_and_the_tone_alone() -> None:
    assert system_text("Answer as a pirate.", "concise", guarded=False) == f"Answer as a pirate.\n\n{TONES['concise']}"
    assert system_text("", "neutral", guarded=False) == ""


@pytest.mark.parametrize("tone", TONES)
def test_every_tone_is_told(tone: str) -> None:
    assert system_text("x", tone).count(TONES[tone]) >= 1


@given(st.text(alphabet=st.sampled_from(f"ab |-.{BREAKS}"), max_size=60), st.sampled_from(list(TONES)))
def test_no_line_of_the_words_can_pose_as_a_rule(words: str, tone: str) -> None:
    own = {*system_text("", tone).splitlines(), *system_text("x", tone).splitlines()}
    for line in system_text(words, tone).splitlines():
        assert line.startswith("|") or line in own
