from __future__ import annotations

import time

import pytest

from search.ranking.query_syntax import ParsedQuery, parse_query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ParsedQuery("")),
        ("how do cats sleep?", ParsedQuery("how do cats sleep?", ("how", "do", "cats", "sleep?"))),
        ('a "cold  war" b', ParsedQuery("a cold war b", ("a", "b"), ("cold war",))),
        ("\u201ccold war\u201d \u00abun mot\u00bb", ParsedQuery("cold war un mot", (), ("cold war", "un mot"))),
        ("\u300c猫\u300d", ParsedQuery("猫", (), ("猫",))),
        ("jaguar -car --animal", ParsedQuery("jaguar", ("jaguar",), excluded=("car", "animal"))),
        ('jaguar -"big cat"', ParsedQuery("jaguar", ("jaguar",), excluded=("big cat",))),
        ("-car", ParsedQuery("", excluded=("car",))),
        ("-5 degrees", ParsedQuery("-5 degrees", ("-5", "degrees"))),
        ("state-of-the-art", ParsedQuery("state-of-the-art", ("state-of-the-art",))),
        ("inter* a*b *", ParsedQuery("inter a*b *", ("a*b", "*"), prefixes=("inter",))),
        ('one "two three', ParsedQuery("one two three", ("one", "two", "three"))),
        ('a - b "" "  "', ParsedQuery("a - b", ("a", "-", "b"))),
        ('"""""', ParsedQuery("")),
    ],
)  # fmt: skip
def test_a_question_is_split(query: str, expected: ParsedQuery) -> None:
    assert parse_query(query) == expected


def test_hostile_questions_take_linear_time() -> None:
    started = time.thread_time()
    for part in ('"', '" ', "-", '-"', "a ", '"a" ', "a*", "\u202e", "\U0001f642"):
        parse_query(part * 50_000)
    assert time.thread_time() - started < 20
