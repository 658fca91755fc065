"""Words that lead on from what was found."""

from __future__ import annotations

from search.ranking.feedback import MOST_WORDS, candidates, telling

TEXTS = ["The pump leaks at the seal of Acme Corp.", "A seal of rubber leaks too.", "The pump of 2021"]


def test_candidates_are_the_words_that_the_question_does_not_have() -> None:
    found = candidates(TEXTS, "pumps")
    assert found[:2] == ["leaks", "seal"]
    assert not {"pump", "the", "2021"} & set(found)
    assert len(candidates([" ".join(f"word{n}" for n in range(500))], "")) == MOST_WORDS


def test_telling_words_are_rare_elsewhere_and_frequent_here() -> None:
    rarity = {"leaks": 2.0, "seal": 2.0, "rubber": 3.0, "acme": 3.0}
    assert telling(TEXTS, rarity, 3) == ["acme", "leaks", "seal"]
    assert "leaks" not in telling(TEXTS[:1], {"leaks": 2.0}, 3, against=TEXTS[:2])
    assert telling([], rarity, 3) == []


def test_words_of_one_root_are_one() -> None:
    assert len(telling(["engines engine"], {"engines": 1.0, "engine": 1.0}, 5)) == 1
