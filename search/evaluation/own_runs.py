"""A run over a user's own questions: one or two configurations, asked in turns, measured and kept.

Files and passages are kept by id alone, and looked up again when a run is shown (`shown_runs`): a deleted file leaves
neither its name nor its text in a run.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from orchestra.accounts.models import User
from search import services
from search.errors import NothingToEvaluate
from search.evaluation.metrics import measure
from search.evaluation.own_questions import MOST_QUESTIONS, questions_of
from search.evaluation.runner import Configuration, Report
from search.models import EvaluationRun
from search.retrieval import Hit

MEASURES = ("nDCG@10", "Recall@10", "MRR@10")
LIMIT = 50  # passages asked for: several may be of one file, and files are what is counted
MOST_SECONDS = 60.0
MOST_RUNS = 100


@dataclass(frozen=True, slots=True)
class _Asked:
    id: str
    text: str
    right: frozenset[UUID]


@dataclass
class _Trial:
    """One configuration under way."""

    report: Report
    answers: list[dict[str, Any]] = field(default_factory=list)


def runs_of(user: User) -> QuerySet[EvaluationRun]:
    """Return a user's runs, newest first."""
    return EvaluationRun.objects.filter(author=user)


def measure_own(user: User, configurations: Sequence[Configuration]) -> EvaluationRun:
    """Ask the user's questions with each configuration, and keep what was measured.

    Questions whose files were all deleted are left out, and so are those that the time no longer suffices for: after
    MOST_SECONDS none is begun. The searches are not remembered. Raises NothingToEvaluate, and what a search raises.
    """
    questions = _questions(user)
    if not questions:
        raise NothingToEvaluate
    trials = [_Trial(Report(configuration)) for configuration in configurations]
    _search(user, questions[0].text, configurations[0])  # the first one of a process loads the model
    until = time.monotonic() + MOST_SECONDS
    asked: list[_Asked] = []
    for question in questions:
        if asked and time.monotonic() > until:
            break
        for trial in trials:
            _ask(user, question, trial)
        asked.append(question)
    run = EvaluationRun.objects.create(
        author=user,
        configurations=[_as_json(configuration) for configuration in configurations],
        results=_results(trials, asked, left_out=len(questions) - len(asked)),
    )
    EvaluationRun.objects.filter(pk__in=list(runs_of(user).values_list("pk", flat=True)[MOST_RUNS:])).delete()
    return run


def _questions(user: User) -> list[_Asked]:
    found = [
        _Asked(str(question.pk), question.text, frozenset(file.pk for file in question.files.all()))
        for question in questions_of(user)[:MOST_QUESTIONS]
    ]
    return [question for question in found if question.right]


def _search(user: User, text: str, configuration: Configuration) -> tuple[Hit, ...]:
    tuning = configuration.tuning
    mode = configuration.mode
    return services.search(user, text, mode=mode, limit=LIMIT, tuning=tuning, by_file=False, remember=False).hits


def _ask(user: User, question: _Asked, trial: _Trial) -> None:
    began = time.perf_counter()
    hits = _search(user, question.text, trial.report.configuration)
    trial.report.milliseconds.append(1000 * (time.perf_counter() - began))
    ranking = list(dict.fromkeys(hit.file_id for hit in hits))
    values = measure([str(file_id) for file_id in ranking], {str(file_id): 1 for file_id in question.right})
    trial.report.values[question.id] = {name: values[name] for name in MEASURES}
    rank = next((rank for rank, file_id in enumerate(ranking, 1) if file_id in question.right), None)
    instead = hits[0] if hits and rank != 1 else None
    trial.answers.append(
        {
            "rank": rank,
            "instead": {"file": str(instead.file_id), "chunk": str(instead.chunk_id)} if instead else None,
        }
    )


def _as_json(configuration: Configuration) -> dict[str, Any]:
    return {"mode": configuration.mode, **asdict(configuration.tuning)}


def _results(trials: Sequence[_Trial], asked: Sequence[_Asked], *, left_out: int) -> dict[str, Any]:
    compared = trials[0].report.against(trials[1].report) if len(trials) > 1 else {}
    return {
        "runs": [
            {
                "measures": trial.report.means(),
                "p50_ms": trial.report.latency(0.5),
                "p95_ms": trial.report.latency(0.95),
            }
            for trial in trials
        ],
        "comparison": {name: asdict(found) for name, found in compared.items()},
        "questions": [
            {
                "text": question.text,
                "files": len(question.right),
                "answers": [trial.answers[number] for trial in trials],
            }
            for number, question in enumerate(asked)
        ],
        "left_out": left_out,
    }
