from __future__ import annotations

import time

import pytest

from search.ranking.query_syntax import ParsedQuery, parse_query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ParsedQuery((), (), (), "")),
        ("how do cats sleep?", ParsedQuery(("how", "do", "cats", "sleep?"), (), (), "how do cats sleep?")),
        ('a "cold  war" b', ParsedQuery(("a", "b"), ("cold war",), (), "a cold war b")),
        ("\u201ccold war\u201d \u00abun mot\u00bb", ParsedQuery((), ("cold war", "un mot"), (), "cold war un mot")),
        ("jaguar -car --animal", ParsedQuery(("jaguar",), (), ("car", "animal"), "jaguar")),
        ("state-of-the-art", ParsedQuery(("state-of-the-art",), (), (), "state-of-the-art")),
        ('one "two three', ParsedQuery(("one", "two", "three"), (), (), "one two three")),
        ('a - b "" "  "', ParsedQuery(("a", "b"), (), (), "a b")),
    ],
)  # fmt: skip
def test_a_question_is_split(query: str, expected: ParsedQuery) -> None:
    assert parse_query(query) == expected


def test_hostile_questions_take_linear_time() -> None:
    started = time.perf_counter()
    for part in ('"', '" ', "-", '-"', "a ", '"a" '):
        parse_query(part * 100_000)
    assert time.perf_counter() - started < 5
