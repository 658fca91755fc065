"""Answers of the passages' own sentences."""

from __future__ import annotations

from search.answering.answer import AnswerKind
from search.answering.citations import Thresholds
from search.answering.extractive import Part, Sought, answer, in_parts
from tests.search.answering.passages import embed, hit

THRESHOLDS = Thresholds()
HITS = [
    hit("Cats purr when content. The diesel engine ignites its fuel by compression alone. Birds sing at dawn.", 1),
    hit("Green tea is steeped at eighty degrees for a while.", 2, file=2),
    hit("In an engine the fuel burns quickly. The diesel engine ignites its fuel by compression alone.", 3, file=3),
]
WEIGHTS = {"diesel": 3.0, "engin": 2.0, "ignit": 2.5}


def test_the_best_sentences_come_once_each_with_their_passage() -> None:
    found = answer(HITS, Sought(WEIGHTS), THRESHOLDS)
    assert found is not None
    assert found.kind is AnswerKind.EXTRACTIVE
    assert found.sentences[0].text == "The diesel engine ignites its fuel by compression alone."
    assert found.sentences[0].citations == (1,)
    assert [one.text for one in found.sentences].count(found.sentences[0].text) == 1
    assert "tea" not in " ".join(one.text for one in found.sentences)


def test_sentences_of_a_file_stand_in_the_order_of_its_text() -> None:
    hits = [hit("The engine of the diesel locomotive is loud.", 9), hit("First the diesel tank is filled up.", 2)]
    found = answer(hits, Sought(WEIGHTS), THRESHOLDS)
    assert found is not None
    assert [one.citations for one in found.sentences] == [(2,), (1,)]


def test_meaning_finds_what_no_word_does() -> None:
    (vector,) = embed(["Green tea is steeped"])
    found = answer(HITS, Sought({}, vector, embed), THRESHOLDS, most=1)
    assert found is not None
    assert found.sentences[0].citations == (2,)


def test_nothing_is_said_where_nothing_was_found() -> None:
    assert answer([], Sought(WEIGHTS), THRESHOLDS) is None
    assert answer([hit("Short.")], Sought(WEIGHTS), THRESHOLDS) is None
    assert answer(HITS, Sought({"unheard": 1.0}), THRESHOLDS) is None


def test_parts_have_headings_and_repeat_nothing() -> None:
    parts = [
        Part("one", [0], Sought(WEIGHTS)),
        Part("two", [2], Sought({"burn": 1.0, **WEIGHTS})),
        Part("three", [1], Sought({})),
    ]
    found = in_parts(HITS, parts, THRESHOLDS)
    assert found is not None
    assert [(one.section, one.citations) for one in found.sentences] == [("one", (1,)), ("two", (3,))]
    assert [one.number for one in found.citations] == [1, 3]
