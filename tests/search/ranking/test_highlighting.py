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


def test_sentences_that_do_not_touch_are_joined_by_an_ellipsis_in_their_order() -> None:
    text = f"{FILLER}The mat is warm. {FILLER}The cat sleeps there. {FILLER}"
    snippet = highlight(text, ["cat", "sleep", "mat"], 100)
    assert snippet.text.startswith("…The mat is warm. … The cat sleeps there. Nothing of interest")
    assert [snippet.text[start:end] for start, end in snippet.spans] == ["mat", "cat", "sleeps"]
    assert len(snippet.text) <= 100


def test_sentences_that_touch_are_left_together() -> None:
    text = f"{FILLER}The cat sleeps. It is warm.\nThe mat is soft. {FILLER}"
    assert "The cat sleeps. It is warm.\nThe mat is soft." in highlight(text, ["cat", "warm", "mat"], 100).text


def test_a_rare_term_outweighs_common_ones() -> None:
    text = f"The method of the study is this. {FILLER}The lemur was asleep. {FILLER}"
    terms = ["method", "study", "lemur"]
    assert highlight(text, terms, 40).text.startswith("The method of the study is this.")
    rare = highlight(text, terms, 40, {"method": 0.5, "study": 0.4, "lemur": 6.2})
    assert rare.text.startswith("…The lemur was asleep.")
    assert [rare.text[start:end] for start, end in rare.spans] == ["lemur"]


def test_weights_are_found_whatever_the_case_and_accents_of_their_terms() -> None:
    text = f"One method. {FILLER}A naïve lemur. {FILLER}"
    assert highlight(text, ["method", "Naïve"], 20, {"Naïve": 3.0}).text.startswith("…A naïve lemur.")


def test_terms_that_weigh_nothing_choose_no_sentence_and_are_marked_where_they_are_shown() -> None:
    text = f"The cat. {FILLER}The dog. {FILLER}"
    snippet = highlight(text, ["cat", "dog"], 60, {"cat": 0.0, "dog": 0.0})
    assert snippet.text.startswith("The cat.")
    assert snippet.spans == ((4, 7),)


def test_what_follows_the_best_sentence_fills_the_room() -> None:
    text = f"{FILLER}The cat sleeps. Then it eats all that is there. It goes out at night. {FILLER}"
    assert "The cat sleeps. Then it eats all that is there. It goes out at night." in highlight(text, ["cat"], 80).text


def test_at_the_end_of_the_text_what_stands_before_does() -> None:
    text = f"{FILLER}It goes out at night. Then it eats. The cat sleeps."
    assert highlight(text, ["cat"], 60).text == "…It goes out at night. Then it eats. The cat sleeps."


def test_of_a_sentence_longer_than_the_snippet_the_best_part_is_shown() -> None:
    text = "and so on " * 60 + "until the cat sleeps on its mat " + "and so on " * 60
    snippet = highlight(text, ["cat", "mat"], 120)
    assert [snippet.text[start:end] for start, end in snippet.spans] == ["cat", "mat"]
    assert snippet.text[0] == snippet.text[-1] == "…"
    assert len(snippet.text) <= 120


def test_overlapping_terms_all_count() -> None:
    filler = "这里没有什么。" * 20
    text = f"{filler}搜索。{filler}搜索引擎。{filler}"
    assert "搜索引擎。" in highlight(text, ["搜索", "索引", "引擎"], 40).text


@pytest.mark.parametrize("most", [-1, 0, 1, 2])
def test_where_there_is_no_room_for_an_ellipsis_there_is_none(most: int) -> None:
    assert highlight("cat and dog", ["cat"], most) == Snippet("cat and dog"[: max(0, most)], ())


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
    started = time.thread_time()
    highlight(text, ["cat", "a", "段"] + [f"term{n}" for n in range(1000)])
    assert time.thread_time() - started < 20


@given(
    st.text(alphabet="cat dog.\n 段é😀", max_size=300),
    st.lists(st.sampled_from(["cat", "do", "段", "e", ""])),
    st.integers(3, 80),
    st.dictionaries(st.sampled_from(["cat", "do", "段", "e"]), st.floats(0, 9)),
)
def test_spans_lie_in_order_within_a_snippet_of_the_length_asked_for(
    text: str, terms: list[str], most: int, weights: dict[str, float]
) -> None:
    snippet = highlight(text, terms, most, weights)
    assert len(snippet.text) <= most
    place = 0
    for part in snippet.text.strip("…").split(" … "):
        place = text.index(part, place) + len(part)
    flat = [offset for span in snippet.spans for offset in span]
    assert flat == sorted(flat)
    assert all(0 <= start < end <= len(snippet.text) for start, end in snippet.spans)
