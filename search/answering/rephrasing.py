"""A question to other questions, by a language model: other ways to ask the same, or the parts that it is made of."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

from django.conf import settings

from integrations.llm.base import LanguageModel, ModelUnavailable, Prompt
from orchestra.common.outbound.errors import OutboundRefused
from search.answering import prompts
from search.answering.reading import Reader
from search.retrieval import SearchRequest

MOST = 4
_MOST_TOKENS = 200
_MOST_SECONDS = 15.0
_LONGEST = 300

Rephrasing: TypeAlias = Generator[None, None, tuple[tuple[str, ...], tuple[str, ...]]]


def rephrase(request: SearchRequest, model: LanguageModel, prompt: str) -> Rephrasing:
    """Return other questions and notes: no questions where the model fails. Yields None at each piece that comes."""
    question = request.filter.clean(request.query)
    system = prompts.asked(prompt)
    ask = Prompt(
        prompts.messages(system, question),
        purpose="rephrasing",
        model=request.model_name,
        most_tokens=_MOST_TOKENS,
        seconds=min(_MOST_SECONDS, settings.ANSWER_SECONDS),
    )
    reader, lines = Reader(system, "\n", question), []
    writing = model.stream(ask)
    try:
        for piece in writing:
            yield None
            lines += [read.text for read in reader.feed(piece)]
    except (ModelUnavailable, OutboundRefused) as error:
        return (), (f"The question was not rephrased. {error.message}",)
    finally:
        writing.close()
    lines += [read.text for read in reader.close()]
    asked = dict.fromkeys(line[:_LONGEST] for line in lines)
    return tuple(line for line in asked if line.casefold() != question.casefold())[:MOST], ()
