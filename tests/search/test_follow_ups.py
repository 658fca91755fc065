"""Questions that lean on earlier ones are made whole; those that stand alone stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.follow_ups import PastTurn, follow_up, leans


def expanded(question: str, *before: str) -> str:
    return follow_up(question, [PastTurn(one) for one in before])


@pytest.mark.parametrize(
    ("before", "question", "words"),
    [
        # No words of its own
        ("Who is the harbour master?", "Why?", "harbour master"),
        ("Wer ist der Hafenmeister?", "Warum?", "hafenmeister"),
        ("¿Quién lleva el registro del puerto?", "¿Por qué?", "lleva registro puerto"),
        ("柴油发动机的功率是多少？", "为什么？", "柴油发动机 功率"),
        # Very short
        ("What is the budget of the harbour in Spain?", "And in Germany?", "budget harbour spain"),
        ("Wie hoch ist das Budget für den Hafen?", "Und in Spanien?", "hoch budget hafen"),
        ("¿Cuál es el presupuesto del puerto en España?", "¿Y en Alemania?", "presupuesto puerto españa"),
        ("西班牙港口的预算是多少？", "那德国呢？", "西班牙港口 预算"),
        # Pointing back
        ("Where is the diesel engine?", "How often is it maintained and cleaned?", "diesel engine"),
        ("Wo steht der Dieselmotor?", "Was kostet dessen Wartung im Jahr?", "steht dieselmotor"),
        ("¿Dónde está el motor diésel?", "¿Cuánto cuesta su mantenimiento anual?", "motor diésel"),
        ("柴油发动机的功率是多少？", "它的重量呢？", "柴油发动机 功率"),
        # Going on
        ("When is the pump serviced?", "What about the diesel engine?", "pump serviced"),
        ("Wann wird die Pumpe gewartet?", "Und der große Dieselmotor?", "pumpe gewartet"),
    ],
)
def test_a_question_that_leans_gets_the_words_of_the_one_before(before: str, question: str, words: str) -> None:
    assert expanded(question, before) == f"{question} {words}"


@pytest.mark.parametrize(
    "question",
    [
        "Where is the diesel engine built?",
        "Which documents mention that the harbour was closed?",
        "And who keeps the register of ships in the harbour of Rotterdam?",
        "Wie hoch ist das Budget für den Hafen Rotterdam?",
        "Gibt es grünen Tee im Lager?",
        "¿Dónde está el motor diésel de la fábrica?",
        "绿茶应该用多少度的水冲泡？",
        "柴油发动机的功率是多少？",
        '"green tea" temperature -black',
    ],
)
def test_a_question_that_stands_alone_stays_as_it_is(question: str) -> None:
    assert not leans(question)
    assert expanded(question, "Who is the harbour master?") == question


def test_the_first_question_has_nothing_to_lean_on() -> None:
    assert expanded("Why?") == "Why?"


def test_a_chain_of_questions_leads_back_to_its_subject() -> None:
    assert expanded("And the register?", "Who is the harbour master?", "Why?") == "And the register? harbour master"


def test_only_the_subject_at_hand_is_taken() -> None:
    assert expanded("Why?", "Who is the harbour master?", "How hot is green tea brewed?") == "Why? hot green tea brewed"


def test_what_the_question_before_excluded_is_not_looked_for() -> None:
    assert expanded("Why?", 'diesel engine -petrol -"two stroke"') == "Why? diesel engine"


def test_words_that_are_there_are_not_added_again() -> None:
    assert expanded("And the pump?", "When is the pump serviced?") == "And the pump? serviced"


def test_what_is_added_is_bounded() -> None:
    long = " ".join(f"word{number}" for number in range(500))
    assert len(expanded("Why?", long).split()) == 13


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=4))
def test_a_question_is_never_shortened_or_changed(question: str, before: list[str]) -> None:
    whole = expanded(question, *before)
    assert whole == question or whole.startswith(f"{question} ")
