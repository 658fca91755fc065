"""`super_deep`: a question in several steps, each of which asks with what the ones before have found.

A model takes the question apart and writes a report. Without one, the words that tell the passages found so far from
the rest of the library lead to the next step. Steps are few and bounded, and shown as they are made.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from integrations.llm.base import LanguageModel
from search import hybrid, keywords
from search.answering import extractive, writing
from search.answering.answer import Answer, Event, Step
from search.answering.context import flat
from search.answering.extractive import Part
from search.answering.rephrasing import rephrase
from search.hits import read_passages
from search.hybrid import Retrieved
from search.modes.base import Run, SearchMode, Writer
from search.passages import document_of
from search.ranking.blending import widened
from search.ranking.feedback import candidates, telling
from search.ranking.fusion import Fused
from search.retrieval import Hit, SearchRequest
from search.timing import Stopwatch

MOST_HOPS = 3
_TERMS = 6
_READ = 5  # passages that a hop takes its words from
_KEPT = 10
_SENTENCES = 3  # of the question itself; two of each hop


@dataclass
class _Way:
    """What the steps asked and found. `orders` are theirs but the first's; `step_of` is who met a passage first."""

    steps: list[Step] = field(default_factory=list)
    orders: list[Sequence[Fused[int]]] = field(default_factory=list)
    weights: list[dict[str, float]] = field(default_factory=list)
    step_of: dict[int, int] = field(default_factory=dict)

    def take(self, asked: str, order: Sequence[Fused[int]], weights: dict[str, float]) -> Step:
        """Note what a step has found."""
        number = len(self.steps) + 1
        new = [one.id for one in order if one.id not in self.step_of]
        self.step_of |= dict.fromkeys(new, number)
        self.steps.append(Step(number, asked, len(new)))
        self.weights.append(weights)
        if number > 1:
            self.orders.append(order)
        return self.steps[-1]

    def met_by(self, step: Step, order: Sequence[Fused[int]]) -> list[int]:
        """Return those passages of an order that a step met first."""
        return [one.id for one in order if self.step_of.get(one.id) == step.number]


Walk: TypeAlias = Generator[Event, None, tuple[str, ...]]


class SuperDeepMode(SearchMode):
    """Steps that lead to one another, and a report of what each has found."""

    name = "super_deep"
    describes = "Several questions in a row, each led by what was found, and a report with sources. Takes longest."
    writer = Writer.USUAL

    def run(self, request: SearchRequest) -> Run:
        """Yield steps and sentences; return the result."""
        watch, way = Stopwatch(), _Way()
        found = hybrid.find_passages(request, watch)
        yield way.take(found.text, found.ranking, found.weights)
        notes: tuple[str, ...] = ()
        if request.model is not None:
            notes = yield from _in_parts(request, request.model, way, watch)
        if not way.orders:
            yield from _hop(request, found, way, watch)
        found = hybrid.read(request, found, watch)
        kept = min(_KEPT, max(1, request.limit * 3 // 4))
        ranking = widened(found.ranking, way.orders, kept, document_of)
        with watch.step("hits"):
            hits = hybrid.hits_of(request, found, ranking)
        if request.model is not None and hits:
            written = yield from writing.write(request, found, hits, "report", watch)
        else:
            with watch.step("answer"):
                written = writing.Written(_findings(found, hits, way))
            yield from writing.told(written.answer)
        written = replace(written, notes=notes + written.notes)
        return self._result(request, found, hits, watch, written, steps=tuple(way.steps))


def _in_parts(request: SearchRequest, model: LanguageModel, way: _Way, watch: Stopwatch) -> Walk:
    """Ask the parts that a model takes the question into."""
    with watch.step("rephrase"):
        parts, notes = yield from rephrase(request, model, "parts")
    for part in parts:
        yield way.take(part, hybrid.find_again(request, part, watch), {})
    return notes


def _hop(request: SearchRequest, found: Retrieved, way: _Way, watch: Stopwatch) -> Generator[Event, None, None]:
    """Ask again with the words that tell what the last step has found from everything else."""
    asked, order = found.text, found.ranking
    for _ in range(MOST_HOPS):
        with watch.step("lead"):
            led = _led(request, asked, way.met_by(way.steps[-1], order)[:_READ])
        if not led:
            return
        words = " ".join(led)
        order = hybrid.find_again(request, f"{found.text} {words}", watch)
        asked = f"{asked} {words}"
        yield way.take(words, order, led)


def _led(request: SearchRequest, asked: str, passages: Sequence[int]) -> dict[str, float]:
    """Return the words that lead on from some passages, with what each weighs."""
    read = read_passages(request.scope.owner_id, passages)
    texts = [request.filter.clean(read[passage].text) for passage in passages if passage in read]
    rarity = keywords.rarity(candidates(texts, asked), request.scope) if texts else {}
    return {word: rarity[word] for word in telling(texts, rarity, _TERMS)}


def _findings(found: Retrieved, hits: Sequence[Hit], way: _Way) -> Answer | None:
    """Return the best sentences of what each step met first."""
    every, sought = flat(hits), writing.sought_by(found)
    parts = [
        Part(
            step.asked,
            [place for place, hit in enumerate(every) if way.step_of.get(hit.passage, 1) == step.number],
            replace(sought, weights={**sought.weights, **weights}) if step.number > 1 else sought,
            _SENTENCES if step.number == 1 else 2,
        )
        for step, weights in zip(way.steps, way.weights, strict=True)
    ]
    return extractive.in_parts(every, parts, writing.thresholds())
