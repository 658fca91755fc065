from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.ranking.highlighting import Snippet, highlight


def marked(text: str, *terms: str, max_chars: int = 300) -> list[str]:
    snippet = highlight(text, terms, max_chars)
    return [snippet.text[start:end] for start, end in snippet.spans]


FILLER = "Nothing of interest stands in this sentence. " * 12


def test_a_short_text_is_kept_whole_and_its_words_marked() -> None:
    assert highlight("The cat sleeps.", ["cat", "sleep"]) == Snippet("The cat sleeps.", ((4, 7), (8, 14)))


def test_the_stretch_with_most_different_terms_wins_and_starts_at_its_sentence() -> None:
    text = f"A cat. A cat. {FILLER}The cat sleeps on the warm mat. {FILLER}"
    snippet = highlight(text, ["cat", "sleep", "mat"], 120)
    assert snippet.text.startswith("…The cat sleeps on the warm mat.")
    assert snippet.text.endswith("…")
    assert len(snippet.text) <= 120
    assert [snippet.text[start:end] for start, end in snippet.spans] == ["cat", "sleeps", "mat"]


def test_without_a_match_the_start_is_shown() -> None:
    snippet = highlight(FILLER, ["volcano"], 100)
    assert snippet.text.startswith("Nothing of interest")
    assert snippet.text.endswith(".…")
    assert snippet.spans == ()


@pytest.mark.parametrize(
    ("text", "term", "expected"),
    [
        ("Naïve CAFÉS", "cafe", ["CAFÉS"]),
        ("Straße", "strasse", ["Straße"]),
        ("indexes, indexing, indexed", "index", ["indexes", "indexing", "indexed"]),
        ("A happy end", "happi", ["happy"]),
        ("a carnival", "car", []),
        ("ab abacus", "ab", ["ab"]),
        ("snake_case_name", "case", ["case"]),
        ("文件分成段落", "段落", ["段落"]),
        ("αβγ", "αβγ", ["αβγ"]),
        ("a (b) c", "", []),
    ],
)
def test_words_match_by_their_stem(text: str, term: str, expected: list[str]) -> None:
    assert marked(text, term) == expected


def test_overlapping_matches_are_joined() -> None:
    assert marked("搜索引擎", "搜索", "索引", "引擎") == ["搜索引擎"]


def test_markup_is_left_as_it_is() -> None:
    assert highlight("<b>cat</b> & dog", ["cat"]) == Snippet("<b>cat</b> & dog", ((3, 6),))


@pytest.mark.parametrize(
    "text", ["a" * 400_000, "cat " * 100_000, ". " * 200_000, " " * 400_000, "\u0301" * 400_000, "段" * 400_000]
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    started = time.perf_counter()
    highlight(text, ["cat", "a", "段"] + [f"term{n}" for n in range(1000)])
    assert time.perf_counter() - started < 5


@given(
    st.text(alphabet="cat dog.\n 段é😀", max_size=300),
    st.lists(st.sampled_from(["cat", "do", "段", "e", ""])),
    st.integers(3, 80),
)
def test_spans_lie_in_order_within_a_snippet_of_the_length_asked_for(text: str, terms: list[str], most: int) -> None:
    snippet = highlight(text, terms, most)
    assert len(snippet.text) <= most
    assert snippet.text.strip("…") in text
    flat = [offset for span in snippet.spans for offset in span]
    assert flat == sorted(flat)
    assert all(0 <= start < end <= len(snippet.text) for start, end in snippet.spans)
