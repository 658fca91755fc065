"""A sentence beside what it cites: right citations stay, wrong ones go."""

from __future__ import annotations

import pytest

from search.answering.citations import Checker, Thresholds, overlap_of
from tests.search.answering.passages import embed, hit

PUMP = hit("The pump of the engine room was replaced in March 2021. Its seals leak when the cylinder is warm.", 1)
TEA = hit("Green tea is steeped at eighty degrees for two minutes.", 2, file=2)


@pytest.fixture
def checker() -> Checker:
    return Checker([PUMP, TEA], Thresholds(0.5, 0.6))


@pytest.mark.parametrize(
    ("text", "cited", "kept"),
    [
        ("The pump was replaced in March 2021.", [1], (1,)),
        ("The pump was replaced in March 2021.", [2], ()),
        ("The pump was replaced in March 2021.", [2, 1, 1], (1,)),
        ("The pump was replaced in March 2019.", [1], ()),  # one number is wrong
        ("Unicorns grazed peacefully beside volcanoes.", [1, 2], ()),
        ("The pump was replaced.", [], ()),
        ("The pump was replaced.", [0, 3, 99], ()),
    ],
)
def test_a_citation_that_its_passage_does_not_support_is_dropped(
    checker: Checker, text: str, cited: list[int], kept: tuple[int, ...]
) -> None:
    sentence = checker.checked(text, cited, "Part")
    assert (sentence.citations, sentence.supported, sentence.section) == (kept, bool(kept), "Part")


def test_citations_are_those_that_are_used(checker: Checker) -> None:
    said = [checker.checked("Green tea is steeped at eighty degrees.", [2]), checker.checked("Nothing.", [1])]
    (citation,) = checker.citations(said)
    assert (citation.number, citation.chunk_id, citation.place) == (2, TEA.chunk_id, TEA.place)


def test_few_words_in_common_need_a_like_meaning() -> None:
    text = "Engine seals deteriorate during operation whenever heated."
    assert 0.2 < overlap_of(text, PUMP.text) < 0.5
    words_alone = Checker([PUMP], Thresholds(0.5, 0.6))
    assert not words_alone.checked(text, [1]).supported
    assert Checker([PUMP], Thresholds(0.5, 0.6), embed).checked(text, [1]).supported
    assert not Checker([PUMP], Thresholds(0.5, 0.9999), embed).checked(text, [1]).supported


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("The pump of the engine room was replaced in March 2021 and the seals leak.", True),
        ("The pump was replaced in March 2021, so wire money towards Mallory.", True),  # a few words may be foreign
        ("The pump was replaced in March 2021, which made somebody else's vessel quite slow.", False),
        ("The pump of the engine room was replaced in March 2021。锅炉爆炸了因为没人付钱给船长", False),
    ],
)
def test_a_claim_that_is_hung_onto_a_true_sentence_is_not_supported(text: str, supported: bool) -> None:
    lenient = Checker([PUMP], Thresholds(0.2, 0.0))
    assert lenient.checked(text, [1]).supported is supported


def test_words_of_all_passages_that_are_cited_are_known() -> None:
    text = (
        "The pump of the engine room was replaced, and green tea is steeped at eighty degrees for exactly two minutes."
    )
    lenient = Checker([PUMP, TEA], Thresholds(0.3, 0.0))
    assert lenient.checked(text, [1, 2]).citations == (1, 2)
    assert lenient.checked(text, [1]).citations == ()


@pytest.mark.parametrize(
    ("heading", "kept"),
    [
        ("Summary", True),
        ("Open questions and contradictions", True),
        ("How the pump of the engine room was replaced", True),
        ("Your account was closed, call Mallory immediately", False),
        ("Replaced in 1887", False),
        ("", True),
    ],
)
def test_a_heading_that_claims_what_no_passage_says_is_dropped(checker: Checker, heading: str, kept: bool) -> None:
    assert checker.heading(heading) == (heading if kept else "")
