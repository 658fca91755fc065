"""A kept run as a page shows it: figures in rows, and for each question where its first right file came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from files.selectors import files_of
from search.addresses import passage_address
from search.evaluation.own_runs import MEASURES
from search.evaluation.runner import Configuration
from search.evaluation.significance import Comparison
from search.models import EvaluationRun, VectorChunk
from search.retrieval import Tuning


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of one configuration."""

    configuration: str
    measures: dict[str, float]
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: its mean under each configuration, and the first less the second where there are two."""

    name: str
    means: tuple[float, ...]
    comparison: Comparison | None


@dataclass(frozen=True, slots=True)
class Instead:
    """The passage that came first and should not have; nameless where its file is gone."""

    file_name: str
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The place of a question's first right file, None where it was not found; what came first, if it did not."""

    rank: int | None
    instead: Instead | None


@dataclass(frozen=True, slots=True)
class Answers:
    """One question and its answer under each configuration."""

    text: str
    files: int
    of: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run, ready to be shown."""

    run: EvaluationRun
    figures: tuple[Figures, ...]
    measures: tuple[Measure, ...]
    questions: tuple[Answers, ...]
    left_out: int


def figures_of(run: EvaluationRun) -> tuple[Figures, ...]:
    """Return the figures of a run, one for each of its configurations."""
    return tuple(
        Figures(
            str(Configuration(known["mode"], Tuning(known["weight"], known["depth"]))),
            found["measures"],
            found["p50_ms"],
            found["p95_ms"],
        )
        for known, found in zip(run.configurations, run.results["runs"], strict=True)
    )


def shown(run: EvaluationRun) -> ShownRun:
    """Return a run with the names and addresses that its author's files have today."""
    figures, compared = figures_of(run), run.results["comparison"]
    measures = tuple(
        Measure(
            name,
            tuple(of.measures[name] for of in figures),
            Comparison(**compared[name]) if name in compared else None,
        )
        for name in MEASURES
    )
    known = _known(run)
    questions = tuple(
        Answers(row["text"], row["files"], tuple(_answer(answer, known) for answer in row["answers"]))
        for row in run.results["questions"]
    )
    return ShownRun(run, figures, measures, questions, run.results["left_out"])


def _known(run: EvaluationRun) -> dict[str, Instead]:
    """Return what is there today of the passages that came first, by the id of the passage, else of its file."""
    wanted = list(_instead(run))
    names = dict(files_of(run.author).filter(pk__in=[row["file"] for row in wanted]).values_list("pk", "name"))
    known = {str(file_id): Instead(name, passage_address(file_id, {})) for file_id, name in names.items()}
    chunks = VectorChunk.objects.filter(owner_id=run.author_id, pk__in=[row["chunk"] for row in wanted])
    for chunk_id, file_id, place in chunks.values_list("pk", "file_id", "place"):
        if file_id in names:  # not in the trash
            known[str(chunk_id)] = Instead(names[file_id], passage_address(file_id, place))
    return known


def _instead(run: EvaluationRun) -> Iterator[dict[str, Any]]:
    for row in run.results["questions"]:
        yield from (answer["instead"] for answer in row["answers"] if answer["instead"])


def _answer(kept: dict[str, Any], known: dict[str, Instead]) -> Answer:
    passage = kept["instead"]
    if passage is None:
        return Answer(kept["rank"], None)
    return Answer(kept["rank"], known.get(passage["chunk"]) or known.get(passage["file"]) or Instead("", ""))
