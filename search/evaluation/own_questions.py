"""Questions of a user's own, with the files that should answer them: what `own_runs` measures search on."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from files.listing import Wanted, matching
from files.models import FileRecord
from files.selectors import files_of
from files.states import SEARCHABLE
from orchestra.accounts.models import User
from search.errors import InvalidEvaluationQuestion
from search.models import EvaluationQuestion
from search.ranking.query_syntax import parse_query

MOST_QUESTIONS = 50
MOST_FILES = 20
LONGEST_QUESTION = 1000
FILES_OFFERED = 12


def questions_of(user: User) -> QuerySet[EvaluationQuestion]:
    """Return a user's questions with those of their files that are there, oldest first."""
    return EvaluationQuestion.objects.filter(author=user).prefetch_related(Prefetch("files", files_of(user)))


def files_to_choose(user: User, part: str, chosen: Collection[UUID] = ()) -> list[FileRecord]:
    """Return the user's searchable files with `part` in their names, newest first; before them those chosen already."""
    searchable = matching(files_of(user), Wanted(status=tuple(SEARCHABLE)))
    kept = searchable.filter(pk__in=list(chosen)[:MOST_FILES])
    offered = matching(searchable, Wanted(name=part.strip())).exclude(pk__in=chosen).order_by("-created_at")
    return [*kept, *offered[:FILES_OFFERED]]


def add_question(user: User, text: str, file_ids: Collection[UUID]) -> EvaluationQuestion:
    """Keep a question. Raises InvalidEvaluationQuestion; another's file is an unknown file."""
    text = text.replace("\x00", " ").strip()
    if not parse_query(text).text:
        raise InvalidEvaluationQuestion("The question is empty.", hint="Write it as you would ask it in a search.")
    if len(text) > LONGEST_QUESTION:
        raise InvalidEvaluationQuestion(f"The question has more than {LONGEST_QUESTION:,} characters.")
    wanted = set(file_ids)
    if not 0 < len(wanted) <= MOST_FILES:
        raise InvalidEvaluationQuestion(
            "No file is chosen." if not wanted else f"More than {MOST_FILES} files are chosen.",
            hint=f"Choose the files that should answer it, {MOST_FILES} at most.",
        )
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two requests at once count the same questions
        if EvaluationQuestion.objects.filter(author=user).count() >= MOST_QUESTIONS:
            raise InvalidEvaluationQuestion(
                f"You have {MOST_QUESTIONS} questions, and a run asks no more.", hint="Delete one first."
            )
        found = list(matching(files_of(user), Wanted(status=tuple(SEARCHABLE))).filter(pk__in=wanted))
        if len(found) != len(wanted):
            raise InvalidEvaluationQuestion("A chosen file is not there, or not searchable.", hint="Choose again.")
        question = EvaluationQuestion.objects.create(author=user, text=text)
        question.files.set(found)
    return question


def delete_question(user: User, question_id: UUID) -> bool:
    """Delete a question of the user's; return whether there was one. Runs that were made with it stay."""
    deleted, _ = EvaluationQuestion.objects.filter(author=user, pk=question_id).delete()
    return bool(deleted)
