from __future__ import annotations

import time

import pytest

from search.analysis import asked, is_paired, sequence, tokens


def texts(text: str, *, code: bool = False) -> list[str]:
    return [token.text for token in tokens(text, code=code)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat's pyjamas", ["the", "cat", "s", "pyjamas"]),
        ("ABC-1234", ["abc", "1234", "abc-1234"]),
        ("doi:10.1000/xyz.", ["doi", "10.1000", "xyz", "doi:10.1000/xyz"]),
        ("snake_case camelCase", ["snake", "case", "snake_case", "camelcase"]),
        ("jane.doe@example.org", ["jane", "doe", "example", "org", "jane.doe@example.org"]),
        ("Python 3.11.2 or v3.11.2", ["python", "3.11.2", "or", "v", "3.11.2", "v3.11.2"]),
        ("1,234,567 EUR", ["1234567", "eur"]),
        ("C++ and C#", ["c", "c++", "and", "c", "c#"]),
        ("\uff21\uff22\uff23\uff11\uff12\uff13 \ufb01sh so\u00adft", ["abc123", "fish", "soft"]),
        ("\u0662\u0660\u0662\u0663", ["2023"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("((( \U0001f642 -- \u202e", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("北京大学", ["北京", "京大", "大学", "学"]),
        ("iPhone手机", ["iphone", "手机", "机"]),
        ("\uff76\uff80\uff76\uff85", ["カタ", "タカ", "カナ", "ナ"]),
        ("แมว", ["แม", "มว", "ว"]),
        ("고양이가", ["고양", "양이", "이가", "가"]),
    ],
)
def test_scripts_without_spaces_are_taken_in_pairs(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_parts_of_identifiers_are_for_code_only() -> None:
    assert texts("parseHTTPHeader") == ["parsehttpheader"]
    assert texts("parseHTTPHeader", code=True) == ["parsehttpheader", "parse", "http", "header"]


def test_a_question_asks_for_a_character_alone_only_where_it_stands_alone() -> None:
    assert [token.text for token in asked("北京")] == ["北京"]
    assert [token.text for token in asked("水 2")] == ["水", "2"]
    assert is_paired("水")
    assert not is_paired("water")


def test_what_nobody_types_is_left_out() -> None:
    assert texts("x" * 81 + " a-" + "b" * 80) == ["a", "b" * 80]


def test_a_phrase_is_found_in_the_sequence_of_a_text_whatever_stands_between_its_words() -> None:
    assert sequence("Cold\u00adwar, politics") in sequence("The (coldwar) politics.")
    assert sequence("cold war") not in sequence("the cold warrior")
    assert sequence("北京 大学") in sequence("我在北京大学读书")


@pytest.mark.parametrize("part", ["a", "a-", "1.", "a1.", "1,", "-", "猫", "a\u0301", "v1.", "\ufdfa"])
def test_hostile_text_takes_linear_time(part: str) -> None:
    started = time.thread_time()
    assert len(texts(part * 50_000, code=True)) <= 200_000
    sequence(part * 50_000)
    assert time.thread_time() - started < 20
