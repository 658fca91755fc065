"""Questions of a user's own: whose files they may name, and how many there may be."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from files import pipeline, services
from files.models import FileRecord
from orchestra.accounts.models import User
from search.errors import InvalidEvaluationQuestion
from search.evaluation import own_questions
from search.evaluation.own_questions import add_question, delete_question, files_to_choose, questions_of
from search.models import EvaluationQuestion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_redis")]
MakeFile = Callable[..., FileRecord]


def read(owner: User, make_file: MakeFile, *names: str) -> list[FileRecord]:
    """Return files that were read and are searchable."""
    files = [make_file(owner, f"The text of {name}.".encode(), name) for name in names]
    while pipeline.work("test"):
        pass
    return files


def test_a_question_is_kept_with_its_files_and_can_be_deleted(alice: User, bob: User, make_file: MakeFile) -> None:
    first, second = read(alice, make_file, "one.txt", "two.txt")
    kept = add_question(alice, "  What is in one? \x00", [first.pk, second.pk, first.pk])
    assert kept.text == "What is in one?"
    assert {file.pk for file in questions_of(alice).get().files.all()} == {first.pk, second.pk}
    assert not questions_of(bob).exists()
    assert not delete_question(bob, kept.pk)
    assert delete_question(alice, kept.pk)
    assert not EvaluationQuestion.objects.exists()


def test_only_own_searchable_files_can_be_named(alice: User, bob: User, make_file: MakeFile) -> None:
    (own,) = read(alice, make_file, "own.txt")
    (hers,) = read(bob, make_file, "bobs.txt")
    waiting = make_file(alice, b"Not read yet.", "waiting.txt")
    for file_id in (hers.pk, waiting.pk, uuid.uuid4()):
        with pytest.raises(InvalidEvaluationQuestion, match="not there, or not searchable"):
            add_question(alice, "What?", [own.pk, file_id])
    assert not EvaluationQuestion.objects.exists()


@pytest.mark.parametrize(
    ("text", "count", "said"),
    [
        ("", 1, "empty"),
        (" \x00 ", 1, "empty"),
        ("-nothing", 1, "empty"),
        ("a" * 1001, 1, "1,000 characters"),
        ("What?", 0, "No file is chosen"),
        ("What?", 21, "More than 20"),
    ],
)
def test_what_cannot_be_measured_is_refused(alice: User, text: str, count: int, said: str) -> None:
    with pytest.raises(InvalidEvaluationQuestion, match=said):
        add_question(alice, text, [uuid.uuid4() for _ in range(count)])


def test_there_are_no_more_questions_than_a_run_asks(
    alice: User, bob: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_questions, "MOST_QUESTIONS", 2)
    (own,) = read(alice, make_file, "own.txt")
    (his,) = read(bob, make_file, "bobs.txt")
    add_question(alice, "One?", [own.pk])
    add_question(alice, "Two?", [own.pk])
    with pytest.raises(InvalidEvaluationQuestion, match="2 questions"):
        add_question(alice, "Three?", [own.pk])
    assert add_question(bob, "One?", [his.pk]).pk, "another's questions do not count"


def test_files_are_found_by_part_of_their_name_and_chosen_ones_stay(
    alice: User, bob: User, make_file: MakeFile
) -> None:
    read(bob, make_file, "report of bob.txt")
    report, notes, other = read(alice, make_file, "Annual Report.txt", "notes 100%.txt", "other.txt")
    make_file(alice, b"Not read yet.", "report under way.txt")
    assert files_to_choose(alice, "report") == [report]
    assert files_to_choose(alice, " 100% ") == [notes]
    assert files_to_choose(alice, "no such") == []
    assert files_to_choose(alice, "report", [other.pk]) == [other, report]
    assert files_to_choose(alice, "report", [report.pk]) == [report]
    assert {file.pk for file in files_to_choose(alice, "")} == {report.pk, notes.pk, other.pk}


def test_the_offer_has_an_end(alice: User, make_file: MakeFile) -> None:
    files = read(alice, make_file, *(f"file {n}.txt" for n in range(own_questions.FILES_OFFERED + 2)))
    assert len(files_to_choose(alice, "file")) == own_questions.FILES_OFFERED
    assert files_to_choose(alice, "file")[0].pk == files[-1].pk


def test_a_deleted_file_leaves_the_question_without_it(alice: User, make_file: MakeFile) -> None:
    (own,) = read(alice, make_file, "own.txt")
    add_question(alice, "What?", [own.pk])
    services.delete(own)
    assert questions_of(alice).get().files.count() == 0
