"""Text to sentences."""

from __future__ import annotations

from time import thread_time

import pytest

from search.answering.sentences import numbers, split, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there! Three?", ["One is here.", "Two is there!", "Three?"]),
        ("Dr. Smith met J. Doe in St. Ives. They left.", ["Dr. Smith met J. Doe in St. Ives.", "They left."]),
        ("a line that\ngoes on here.\nAnother one", ["a line that goes on here.", "Another one"]),
        ("# Heading\n\nBody text.", ["# Heading", "Body text."]),
        ("引擎分成段落。然后计算向量！", ["引擎分成段落。", "然后计算向量！"]),
        ("It rose by 4.5 % in 2021. approx. that much", ["It rose by 4.5 % in 2021. approx. that much"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert list(split(text)) == expected


def test_no_word_is_lost_and_long_texts_take_no_time() -> None:
    text = "word. Word! " * 20_000 + "a " * 20_000
    began = thread_time()
    assert " ".join(split(text)).split() == text.split()
    assert thread_time() - began < 20


def test_words_say_something_and_numbers_are_kept_whole() -> None:
    assert words("The pump ignites in 2021, 搜索") == {"pump", "ignit", "2021", "搜", "索"}
    assert numbers("Pump X200 cost 1200 in 2021") == {"x200", "1200", "2021"}
