"""A search's events as the API streams them: step, answer (a sentence), citations; then result or error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from search.answering.answer import Answer, Event, Sentence, Step
from search.api import answers
from search.event_stream import MEDIA_TYPE, as_bytes


class EventStreamRenderer(BaseRenderer):
    """Lets a client ask for events; what it renders itself is the error of a request that began no search."""

    media_type = MEDIA_TYPE
    format = "events"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """Return the error as the one event of the stream."""
        return as_bytes("error", data)


def event_of(event: Event) -> tuple[str, Any] | None:
    """Return the name and the data of an event; None for one that shows nothing."""
    if isinstance(event, Step):
        return "step", answers.step(event)
    if isinstance(event, Sentence):
        return "answer", answers.sentence(event)
    if isinstance(event, Answer):
        return "citations", [answers.citation(one) for one in event.citations]
    return None
