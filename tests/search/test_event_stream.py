"""Searches as server-sent events: order, errors, and an end when nobody listens."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from rest_framework.test import APIClient

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from search import services
from search.answering.answer import Sentence
from search.api.answers import answer_of
from search.api.events import event_of
from search.event_stream import EventStream
from search.modes.base import Run
from search.retrieval import SearchResult
from tests.language_model import ScriptedModel
from tests.pace import within

RESULT = SearchResult("q", "deep", ())


@pytest.fixture
def library(alice: User, make_file: Callable[..., FileRecord]) -> None:
    make_file(alice, b"The harbour master keeps the register of all tides since 1881.", "harbour.txt")
    while pipeline.work("test"):
        pass


def told(response: Any) -> list[tuple[str, Any]]:
    """Return the events of a stream, without its comments."""
    text = b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()
    blocks = [block.split("\n") for block in text.split("\n\n") if block and not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def test_steps_come_first_then_sentences_citations_and_the_result(as_alice: APIClient, library: None) -> None:
    response = as_alice.post(
        "/api/search", {"query": "harbour master", "mode": "deep"}, HTTP_ACCEPT="text/event-stream"
    )
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/event-stream")
    events = told(response)
    assert [name for name, _ in events] == ["step", "answer", "citations", "result"]
    result = dict(events)["result"]
    assert result["hits"][0]["file"]["name"] == "harbour.txt"
    assert result["answer"]["sentences"] == [dict(events)["answer"]]
    plain = as_alice.post("/api/search", {"query": "harbour master", "mode": "deep"}).json()
    assert {**plain, "timings": {}} == {**result, "timings": {}}


def test_a_request_that_begins_no_search_is_refused_with_its_status(as_alice: APIClient) -> None:
    response = as_alice.post("/api/search", {"query": ""}, HTTP_ACCEPT="text/event-stream")
    assert response.status_code == 400
    ((name, data),) = told(response)
    assert (name, data["error"]["code"]) == ("error", "invalid")
    refused = as_alice.post("/api/search", {"query": "x", "mode": "uncensored"}, HTTP_ACCEPT="text/event-stream")
    assert (refused.status_code, told(refused)[0][1]["error"]["code"]) == (403, "mode_not_allowed")


def test_what_goes_wrong_on_the_way_is_the_last_event(as_alice: APIClient, library: None) -> None:
    ((name, data),) = told(
        as_alice.post("/api/search", {"query": "-harbour", "mode": "deep"}, HTTP_ACCEPT="text/event-stream")
    )
    assert (name, data["error"]["code"]) == ("error", "query_empty")


def test_a_bug_on_the_way_says_nothing_of_itself() -> None:
    def broken() -> Run:
        yield None
        raise ValueError("secret detail")

    text = b"".join(EventStream(broken(), event_of, answer_of)).decode()
    assert '"internal_error"' in text
    assert "secret" not in text


def test_pieces_of_a_model_are_signs_of_life_and_not_shown(
    as_alice: APIClient, library: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(answer="The register is kept by the harbour master [1].")
    monkeypatch.setattr(services, "writer_for", lambda *_: model)
    response: Any = as_alice.post(
        "/api/search", {"query": "harbour master", "mode": "private"}, HTTP_ACCEPT="text/event-stream"
    )
    text = b"".join(response.streaming_content).decode()
    assert text.count(": at work") == 7
    assert text.index(": at work") < text.index("event: answer")


def test_served_by_asgi_the_events_come_one_by_one_and_the_work_ends_with_its_client() -> None:
    closed, may_go_on = threading.Event(), threading.Event()

    def endless() -> Run:
        try:
            yield Sentence("One.", (), supported=False)
            for _ in range(1000):
                may_go_on.wait(within(5))
                yield None
        finally:
            closed.set()
        return RESULT

    async def client() -> bytes:
        events = aiter(EventStream(endless(), event_of, answer_of))
        first = await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        waiting.cancel()
        may_go_on.set()
        with suppress(asyncio.CancelledError):
            await waiting
        return first

    assert asyncio.run(client()).startswith(b"event: answer\n")
    assert closed.wait(within(5))


def test_served_by_asgi_all_of_a_search_arrives() -> None:
    def short() -> Run:
        yield Sentence("Grüße.", (1,), supported=True)
        return RESULT

    async def client() -> bytes:
        return b"".join([piece async for piece in EventStream(short(), event_of, answer_of)])

    text = asyncio.run(client()).decode()
    assert "Grüße." in text
    assert text.count("event: ") == 2
