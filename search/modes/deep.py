"""`deep`: the order of `basic`, grouped by file, with an answer. A model rephrases the question and writes the answer.

Without a model the order is that of `basic`: feedback from the first hits made it no better anywhere it was measured.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from integrations.llm.base import LanguageModel
from search import hybrid
from search.answering import writing
from search.answering.answer import Event, Step
from search.answering.rephrasing import rephrase
from search.hybrid import Retrieved
from search.modes.base import Run, SearchMode, Writer
from search.ranking.blending import blend
from search.retrieval import SearchRequest
from search.timing import Stopwatch


class DeepMode(SearchMode):
    """Several phrasings of the question, fused, and a summary with citations."""

    name = "deep"
    describes = "An answer of a few sentences, each with its source, and the files that it comes from."
    writer = Writer.USUAL
    by_file = True

    def run(self, request: SearchRequest) -> Run:
        """Yield steps and sentences; return the result."""
        watch = Stopwatch()
        found = hybrid.find_passages(request, watch)
        steps = [Step(1, found.text, len(found.ranking))]
        yield steps[0]
        if request.model is not None:
            found, more = yield from _varied(request, request.model, found, watch)
            steps += more
        found = hybrid.read(request, found, watch)
        with watch.step("hits"):
            hits = hybrid.hits_of(request, found)
        written = yield from writing.write(request, found, hits, "answer", watch)
        return self._result(request, found, hits, watch, written, steps=tuple(steps))


def _varied(
    request: SearchRequest, model: LanguageModel, found: Retrieved, watch: Stopwatch
) -> Generator[Event, None, tuple[Retrieved, list[Step]]]:
    """Return what other phrasings of the question find as well, fused with what it finds itself."""
    with watch.step("rephrase"):
        variants, notes = yield from rephrase(request, model, "variants")
    known = {one.id for one in found.ranking}
    orders, steps = [], []
    for number, variant in enumerate(variants, 2):
        other = hybrid.find_again(request, variant, watch)
        new = {one.id for one in other} - known
        known |= new
        orders.append(other)
        steps.append(Step(number, variant, len(new)))
        yield steps[-1]
    return replace(found, ranking=blend(found.ranking, orders), notes=found.notes + notes), steps
