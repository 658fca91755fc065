"""Words that very many passages have are left for later, and cost nothing of the answer that matters."""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import uuid4

import pytest

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from search import frequencies, keywords
from search.candidates import find
from search.frequencies import Frequencies, deferred
from search.keywords import Answer, Question
from search.ranking.query_syntax import parse_query
from search.retrieval import Found, Scope
from search.spaces import searched

MakeFile = Callable[..., FileRecord]
QUESTION = "river bridge and the rusty lantern"


class TestDeferred:
    def test_frequent_words_wait_and_rare_ones_do_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(frequencies, "READ_AT_MOST", 1_000)
        known = {"rare": 150, "usual": 700, "frequent": 40_000, "everywhere": 90_000}

        assert deferred(known, known, 100) == {"frequent": 40_000, "everywhere": 90_000}

    def test_a_word_that_brings_enough_candidates_is_always_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(frequencies, "READ_AT_MOST", 1_000)

        assert deferred(["frequent", "everywhere"], {"frequent": 40_000, "everywhere": 90_000}, 100) == {
            "everywhere": 90_000
        }
        assert deferred(["few", "frequent"], {"few": 3, "frequent": 40_000}, 100) == {}

    def test_a_word_that_nobody_counted_is_read(self) -> None:
        assert deferred(["new", "other"], {}, 100) == {}


class TestCounted:
    def test_counts_are_remembered_for_an_owner(self) -> None:
        counted, owner = Frequencies(), uuid4()
        counted.learn(owner, 1_000, {"a": 5})
        counted.learn(owner, 1_010, {"b": 7})

        assert counted.of(owner, 1_050) == {"a": 5, "b": 7}
        assert counted.of(uuid4(), 1_000) == {}

    def test_an_owner_who_has_grown_is_counted_anew(self) -> None:
        counted, owner = Frequencies(), uuid4()
        counted.learn(owner, 1_000, {"a": 5})

        assert counted.of(owner, 1_200) == {}

    def test_old_counts_are_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counted, owner = Frequencies(), uuid4()
        counted.learn(owner, 1_000, {"a": 5})
        monkeypatch.setattr(frequencies, "_KNOWN_FOR", 0.0)

        assert counted.of(owner, 1_000) == {}


@pytest.fixture
def many(alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch) -> User:
    """An owner who counts as one of very many files: `river` and `bridg` everywhere, `lantern` in some files."""
    chance = random.Random(4)
    for number in range(30):
        words = ["river", "bridge"] * chance.randint(1, 6) + ["stone", "water", "barge"] * chance.randint(0, 5)
        words += ["lantern"] * (number % 3 == 0) + ["rusty"] * (number % 4 == 0)
        chance.shuffle(words)
        make_file(alice, f"File {number}. {' '.join(words)}.".encode(), f"{number}.txt")
    while pipeline.work("test"):
        pass
    monkeypatch.setattr(keywords, "MANY_DOCUMENTS", 10)
    monkeypatch.setattr(frequencies, "READ_AT_MOST", 20)
    frequencies.counted.forget()
    return alice


def _asked(owner: User, limit: int = 5) -> Answer:
    return keywords.look_up(Question(parse_query(QUESTION), Scope(owner.pk), limit, searched()))


def _scores(answer: Answer) -> dict[int, float]:
    return {one.passage: round(one.keyword, 9) for one in answer.found if one.worded}


def test_an_answer_is_the_same_when_its_frequent_words_wait(many: User) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frequencies, "READ_AT_MOST", 10_000)
        whole = _asked(many)
    known = frequencies.counted.of(many.pk, 30)
    assert {word: known[f"en={word}"] for word in ("river", "lantern", "rusti")} == {
        "river": 30,
        "lantern": 10,
        "rusti": 8,
    }

    again = _asked(many)

    assert set(deferred(known, known, 5)) == {"en=river", "en=bridg"}
    assert len(whole.found) == 5
    assert _scores(again) == _scores(whole)
    assert again.weights == pytest.approx(whole.weights)


def test_passages_that_only_meaning_found_get_their_frequent_words_too(many: User) -> None:
    from search import questions
    from search.vector_stores import vector_stores

    def candidates() -> dict[int, Found]:
        embedded = questions.embed(QUESTION)
        found = find(parse_query(QUESTION), Scope(many.pk), 10, embedded, vector_stores["default"]).found
        return {one.passage: one for one in found}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frequencies, "READ_AT_MOST", 10_000)
        whole = candidates()
    again = candidates()

    assert any(one.near and not one.worded for one in whole.values())
    assert again.keys() == whole.keys()
    assert {p: one.keyword for p, one in again.items()} == pytest.approx({p: one.keyword for p, one in whole.items()})


def test_without_the_frequent_words_scores_would_differ(many: User) -> None:
    """The two tests above can fail: what waits is worth something."""
    rare = keywords.look_up(Question(parse_query("rusty lantern"), Scope(many.pk), 5, searched()))

    assert _scores(rare) != _scores(_asked(many))
