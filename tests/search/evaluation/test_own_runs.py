"""Runs over own questions, on searches whose answers are set, and on real ones."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from files import pipeline, services
from files.models import FileRecord
from orchestra.accounts.models import User
from search import services as search_services
from search.errors import NothingToEvaluate
from search.evaluation import own_runs
from search.evaluation.own_questions import add_question
from search.evaluation.own_runs import measure_own, runs_of
from search.evaluation.runner import Configuration
from search.evaluation.shown_runs import Answer, Instead, figures_of, shown
from search.models import EvaluationQuestion, EvaluationRun, SearchQuery, VectorChunk
from search.ranking.highlighting import Snippet
from search.retrieval import Hit, ScoreParts, SearchResult, Tuning

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_redis")]
MakeFile = Callable[..., FileRecord]

TEXTS = {
    "cats.txt": "The cat sleeps on the warm window sill. Cats purr when they are content.",
    "engines.txt": "A diesel engine ignites its fuel by compression. The piston moves in the cylinder.",
    "tea.txt": "Green tea is steeped at eighty degrees. Black tea wants boiling water.",
}
WORDS, MEANING = Configuration("basic", Tuning(0.0, 50)), Configuration("basic", Tuning(1.0, 50))


@pytest.fixture
def library(alice: User, make_file: MakeFile) -> dict[str, FileRecord]:
    files = {name: make_file(alice, text.encode(), name) for name, text in TEXTS.items()}
    while pipeline.work("test"):
        pass
    return files


def hit_in(file: FileRecord) -> Hit:
    chunk = VectorChunk.objects.get(file=file)
    return Hit(
        chunk.pk, file.pk, file.name, "text/plain", "text", 0, chunk.text, chunk.place, Snippet("", ()), 0.5,
        ScoreParts(0.5, 0.5, 1, 1),
    )  # fmt: skip


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, float], list[Hit]]:
    """The hits that a search gives, by question and weight."""
    given: dict[tuple[str, float], list[Hit]] = {}

    def search(
        user: User, query: str, *, mode: str, limit: int, tuning: Tuning, by_file: bool, remember: bool
    ) -> SearchResult:
        assert not remember
        assert not by_file
        return SearchResult(query, mode, tuple(given.get((query, tuning.weight), [])[:limit]))

    monkeypatch.setattr(search_services, "search", search)
    return given


def test_files_are_counted_once_at_their_best_passage(
    alice: User, library: dict[str, FileRecord], answers: dict[tuple[str, float], list[Hit]]
) -> None:
    cats, engines, tea = (hit_in(library[name]) for name in ("cats.txt", "engines.txt", "tea.txt"))
    add_question(alice, "Q", [library["tea.txt"].pk, library["cats.txt"].pk])
    answers["Q", 0.0] = [engines, engines, engines, tea, engines]
    answers["Q", 1.0] = [cats, tea]

    run = measure_own(alice, [WORDS, MEANING])

    words, meaning = figures_of(run)
    assert words.measures["MRR@10"] == 0.5
    assert words.measures["Recall@10"] == 0.5
    assert words.measures["nDCG@10"] == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert meaning.measures == {"nDCG@10": 1, "Recall@10": 1, "MRR@10": 1}
    assert words.configuration == "basic, weight 0, depth 50"
    assert len(run.results["questions"]) == 1
    shown_run = shown(run)
    mrr = {measure.name: measure for measure in shown_run.measures}["MRR@10"]
    assert mrr.means == pytest.approx((0.5, 1))
    assert mrr.comparison is not None
    assert mrr.comparison.difference == -0.5
    assert shown_run.questions[0].of == (
        Answer(
            2,
            Instead(
                "engines.txt", f"/files/{library['engines.txt'].pk}?at=%7B%22line%22%3A1%2C%22line_end%22%3A1%7D#found"
            ),
        ),
        Answer(1, None),
    )


def test_what_was_not_found_has_no_place(
    alice: User, library: dict[str, FileRecord], answers: dict[tuple[str, float], list[Hit]]
) -> None:
    add_question(alice, "Q", [library["tea.txt"].pk])
    answers["Q", 1.0] = [hit_in(library["cats.txt"])]
    run = shown(measure_own(alice, [WORDS, MEANING]))
    none, other = run.questions[0].of
    assert none == Answer(None, None)
    assert other.rank is None
    assert other.instead is not None
    assert other.instead.file_name == "cats.txt"
    assert {measure.means for measure in run.measures} == {(0, 0)}


def test_a_deleted_file_leaves_no_name_in_a_run(
    alice: User, library: dict[str, FileRecord], answers: dict[tuple[str, float], list[Hit]]
) -> None:
    add_question(alice, "Q", [library["tea.txt"].pk])
    answers["Q", 0.0] = [hit_in(library["cats.txt"])]
    run = measure_own(alice, [WORDS])
    assert "cats" not in str(run.results)
    services.delete(library["cats.txt"])
    assert shown(run).questions[0].of == (Answer(None, Instead("", "")),)


def test_a_file_that_was_read_again_is_still_linked(
    alice: User, library: dict[str, FileRecord], answers: dict[tuple[str, float], list[Hit]]
) -> None:
    cats = library["cats.txt"]
    add_question(alice, "Q", [library["tea.txt"].pk])
    answers["Q", 0.0] = [hit_in(cats)]
    run = measure_own(alice, [WORDS])
    VectorChunk.objects.filter(file=cats).delete()
    assert shown(run).questions[0].of[0].instead == Instead("cats.txt", f"/files/{cats.pk}#text")


def test_real_searches_are_measured_and_not_remembered(alice: User, library: dict[str, FileRecord]) -> None:
    add_question(alice, "How does a diesel engine ignite?", [library["engines.txt"].pk])
    add_question(alice, "At how many degrees is green tea steeped?", [library["tea.txt"].pk])
    run = measure_own(alice, [Configuration("basic", Tuning())])
    (figures,) = figures_of(run)
    assert figures.measures == {"nDCG@10": 1, "Recall@10": 1, "MRR@10": 1}
    assert 0 < figures.p50 <= figures.p95
    assert run.results["comparison"] == {}
    assert not SearchQuery.objects.exists()


def test_without_a_question_whose_files_are_there_nothing_is_measured(
    alice: User, library: dict[str, FileRecord]
) -> None:
    with pytest.raises(NothingToEvaluate):
        measure_own(alice, [WORDS])
    EvaluationQuestion.objects.create(author=alice, text="Q")
    with pytest.raises(NothingToEvaluate):
        measure_own(alice, [WORDS])
    assert not EvaluationRun.objects.exists()


def test_what_time_does_not_suffice_for_is_told(
    alice: User, library: dict[str, FileRecord], answers: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("Q1", "Q2", "Q3"):
        add_question(alice, text, [library["tea.txt"].pk])
    monkeypatch.setattr(own_runs, "MOST_SECONDS", -1)
    run = measure_own(alice, [WORDS, MEANING])
    assert ([row["text"] for row in run.results["questions"]], run.results["left_out"]) == (["Q1"], 2)


def test_old_runs_make_room_for_new_ones(
    alice: User, bob: User, library: dict[str, FileRecord], answers: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = EvaluationRun.objects.create(id=uuid.uuid4(), author=bob)
    monkeypatch.setattr(own_runs, "MOST_RUNS", 2)
    add_question(alice, "Q", [library["tea.txt"].pk])
    made = [measure_own(alice, [WORDS]) for _ in range(3)]
    assert list(runs_of(alice)) == made[:0:-1]
    assert EvaluationRun.objects.filter(pk=others.pk).exists()
