"""Hits to an answer: by a language model where there is one, else, and when it fails, of the passages' own sentences.

After retrieval; before the result of a mode. What is said while the answer is made is yielded sentence by sentence,
each checked already, so that nothing is shown that was not looked at.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeAlias

from django.conf import settings

from integrations.llm.base import LanguageModel, ModelUnavailable, Prompt, Usage
from orchestra.common.outbound.errors import OutboundRefused
from search import spaces
from search.answering import extractive, prompts
from search.answering.answer import Answer, AnswerKind, Event, Sentence
from search.answering.citations import Checker, Embed, Thresholds
from search.answering.context import Context, context_of, flat
from search.answering.extractive import Sought
from search.answering.reading import Read, Reader
from search.hybrid import Retrieved
from search.retrieval import Hit, SearchRequest
from search.timing import Stopwatch

_BY_SENTENCES = "The answer is made of sentences of your files instead."


@dataclass(frozen=True, slots=True)
class Written:
    """An answer, None where nothing was found, and what could not be done, in sentences."""

    answer: Answer | None
    notes: tuple[str, ...] = ()


Writing: TypeAlias = Generator[Event, None, Written]


def sought_by(found: Retrieved) -> Sought:
    """Return what a question looks for in sentences."""
    if found.embedded is None:
        return Sought(found.weights)
    return Sought(found.weights, found.embedded.vector, embedder_of(found))


def embedder_of(found: Retrieved) -> Embed | None:
    """Return what turns sentences into vectors like the question's; None where the question has none.

    None too where each call would be a request to another machine: words alone are compared then.
    """
    if found.embedded is None:
        return None
    embedder = spaces.embedder_of(found.embedded.space)
    return embedder.embed_passages if embedder.local else None


def thresholds() -> Thresholds:
    """Return when a passage supports a sentence, as settings say."""
    return Thresholds(settings.ANSWER_OVERLAP, settings.ANSWER_SIMILARITY)


def write(request: SearchRequest, found: Retrieved, hits: Sequence[Hit], prompt: str, watch: Stopwatch) -> Writing:
    """Yield an answer's sentences and the answer; return it. `prompt` names the instructions of a model."""
    with watch.step("answer"):
        notes: tuple[str, ...] = ()
        if request.model is not None and hits:
            written = yield from _by_model(request, request.model, found, hits, prompt)
            if written.answer is not None:
                yield written.answer
                return written
            notes = (*written.notes, _BY_SENTENCES)
        answer = extractive.answer(flat(hits), sought_by(found), thresholds())
        yield from told(answer)
        return Written(answer, notes)


def told(answer: Answer | None) -> Generator[Event, None, None]:
    """Yield a whole answer as if it were just being written."""
    if answer is not None:
        yield from answer.sentences
        yield answer


def _by_model(
    request: SearchRequest, model: LanguageModel, found: Retrieved, hits: Sequence[Hit], prompt: str
) -> Writing:
    """Yield what a model writes; no answer where it fails before anything that a passage supports."""
    context = context_of(flat(hits), request.filter, settings.ANSWER_CONTEXT, request.before)
    checker = Checker(context.sources, thresholds(), embedder_of(found))
    said: list[Sentence] = []
    notes: tuple[str, ...] = ()
    cut = False
    asked = _Asked(request, model, context, checker, prompt)
    try:
        with closing(iter(asked)) as events:  # closed at once when this is: the model must not go on
            for event in events:
                said += [event] if event is not None else []
                yield event
        cut = asked.cut
    except (ModelUnavailable, OutboundRefused) as error:
        notes, cut = (f"The language model did not finish. {error.message}",), True
    if not any(sentence.supported for sentence in said):
        return Written(None, notes or ("No sentence of the model's answer is supported by the passages.",))
    if cut and not notes:
        notes = ("The answer ends early: its limit of time or length was reached.",)
    return Written(Answer(AnswerKind.MODEL, tuple(said), checker.citations(said), asked.wrote, cut), notes)


class _Asked:
    """One call of a model: iterate over it once. Afterwards `cut` says whether the model was stopped by a limit, and
    `wrote` is the name of the model that answered, as far as its server said.
    """

    def __init__(
        self, request: SearchRequest, model: LanguageModel, context: Context, checker: Checker, prompt: str
    ) -> None:
        self.cut = False
        self.wrote = request.model_name or model.name
        self._model = model
        self._checker = checker
        self._filter = request.filter
        told = prompts.instructions(prompt, context.mark, in_conversation=bool(context.earlier))
        system = "\n\n".join(filter(None, (request.voice, told)))
        self._reader = Reader(system, context.mark, context.text)
        self._prompt = Prompt(
            prompts.messages(system, request.filter.clean(request.question), context.earlier, context.text),
            purpose="answer",
            model=request.model_name,
            temperature=request.temperature,
            most_tokens=settings.ANSWER_TOKENS,
            seconds=settings.ANSWER_SECONDS,
        )

    def __iter__(self) -> Generator[Sentence | None, None, None]:
        writing = self._model.stream(self._prompt)
        try:
            while True:
                piece = next(writing)
                yield None
                yield from map(self._checked, self._reader.feed(piece))
        except StopIteration as ended:
            usage: Usage = ended.value
            self.cut, self.wrote = usage.cut, usage.model or self.wrote
        finally:
            writing.close()
        yield from map(self._checked, self._reader.close())

    def _checked(self, one: Read) -> Sentence:
        sentence = self._checker.checked(one.text, one.cited, self._checker.heading(one.section))
        return replace(sentence, text=self._filter.clean(sentence.text), section=self._filter.clean(sentence.section))
