"""Each mode that answers, over the API: without a model, and with one behind a server that speaks OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from tests.conftest import client_of
from tests.openai_server import KEY, MODEL, Body, OpenAIServer, Reply, failure
from tests.pace import within

pytestmark = pytest.mark.django_db

QUESTION = "When was the pump of the engine room replaced?"
TEXTS = {
    "pumps.txt": "The pump of the engine room was replaced in 2021. Its seals leak when the cylinder is warm.",
    "tea.txt": "Green tea is steeped at eighty degrees. Black tea wants boiling water from the kettle.",
}
SAID = "The pump of the engine room was replaced in 2021"
BY_SENTENCES = "The answer is made of sentences of your files instead."
REPHRASING = {"deep", "super_deep"}


@pytest.fixture(params=["deep", "super_deep", "creative", "private", "uncensored"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asker(alice: User, make_file: Callable[..., FileRecord]) -> User:
    """Alice with two files, who may search in every mode."""
    for name, text in TEXTS.items():
        make_file(alice, text.encode(), name)
    while pipeline.work("test"):
        pass
    alice.user_permissions.set(Permission.objects.filter(codename="search_uncensored"))
    return User.objects.get(pk=alice.pk)


@pytest.fixture
def api(asker: User) -> APIClient:
    return client_of(asker)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Try again at once; the pauses that would have been made."""
    pauses: list[float] = []
    monkeypatch.setattr("integrations.llm.openai_protocol.sleep", pauses.append)
    return pauses


@pytest.fixture
def server(openai_server: OpenAIServer, settings: Any) -> OpenAIServer:
    """The server, whose model every mode uses."""
    options = {"base_url": openai_server.base_url, "model": MODEL, "key": KEY, "by_setting": True}
    entry = {"BACKEND": "integrations.llm.compatible.CompatibleModel", "OPTIONS": options}
    settings.LANGUAGE_MODELS = {"default": entry, "local": entry, "uncensored": entry}
    openai_server.answer = writing(lambda number: f"{SAID} [{number}]. The moon is made of cheese [{number}].")
    return openai_server


def writing(write: Callable[[int], str | Reply]) -> Callable[[Body], str | Reply]:
    """Return a model that rephrases plainly, and writes its answer with the number of the passage about the pump."""

    def answer(body: Body) -> str | Reply:
        passages = body["messages"][1]["content"].split(" passage ")[1:]
        if not passages:
            return "pump of the engine room"
        return write(next(number for number, text in enumerate(passages, 1) if "from pumps.txt" in text))

    return answer


def always(reply: Reply) -> Callable[[Body], Reply]:
    """Return a model that gives this reply to whatever it is asked."""
    return lambda _: reply


def answers_asked(server: OpenAIServer) -> list[Body]:
    """Return the requests for an answer, without those for other questions."""
    return [chat.body for chat in server.chats if " passage 1, from" in chat.text]


def ask(api: APIClient, mode: str) -> dict[str, Any]:
    response = api.post("/api/search", {"query": QUESTION, "mode": mode}, format="json")
    assert response.status_code == 200, response.content
    return response.json()  # type: ignore[no-any-return]  # JSON


def said(result: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(one["text"], one["supported"]) for one in result["answer"]["sentences"]]


def test_without_a_model_the_answer_is_made_of_the_files_and_leads_to_them(
    api: APIClient, asker: User, mode: str, client: Client
) -> None:
    result = ask(api, mode)
    assert result["answer"]["kind"] == "extractive"
    assert (f"{SAID}.", True) in said(result)
    assert (result["outbound"], result["notes"]) == ([], [])
    client.force_login(asker)
    for citation in result["answer"]["citations"]:
        address, _, place = citation["address"].partition("#")
        page = client.get(address)
        assert page.status_code == 200
        assert f'id="{place}"' in page.content.decode()


def test_a_model_writes_what_its_citations_support(api: APIClient, mode: str, server: OpenAIServer) -> None:
    result = ask(api, mode)
    assert (result["answer"]["kind"], result["answer"]["cut"]) == ("model", False)
    assert said(result) == [(f"{SAID}.", True), ("The moon is made of cheese.", False)]
    (citation,) = result["answer"]["citations"]
    assert citation["file_name"] == "pumps.txt"
    assert [entry["purpose"] for entry in result["outbound"]] == [
        *(["rephrasing"] if mode in REPHRASING else []),
        "answer",
    ]
    assert {entry["host"] for entry in result["outbound"]} == {"127.0.0.1"}


def test_the_budget_of_tokens_is_told_to_the_model_and_its_end_to_the_asker(
    api: APIClient, mode: str, server: OpenAIServer, settings: Any
) -> None:
    settings.ANSWER_TOKENS = 60
    server.answer = writing(lambda number: Reply((f"{SAID} [{number}].", " It was"), finish="length"))
    result = ask(api, mode)
    (asked,) = answers_asked(server)
    assert asked["max_tokens"] == 60
    assert result["answer"]["cut"]
    assert said(result)[0] == (f"{SAID}.", True)
    assert "The answer ends early: its limit of time or length was reached." in result["notes"]


def test_at_the_time_limit_what_was_written_is_the_answer(
    api: APIClient, mode: str, server: OpenAIServer, settings: Any
) -> None:
    settings.ANSWER_SECONDS = 0.5
    server.answer = writing(lambda number: Reply((f"{SAID} [{number}]. ", "And "), endless=True, pause=0.02))
    result = ask(api, mode)
    assert (result["answer"]["kind"], result["answer"]["cut"]) == ("model", True)
    assert said(result)[0] == (f"{SAID}.", True)
    assert "The answer ends early: its limit of time or length was reached." in result["notes"]
    assert server.left.wait(within(5)), "the model does not go on"


def test_a_provider_that_is_busy_is_asked_again_after_growing_pauses(
    api: APIClient, mode: str, server: OpenAIServer, waited: list[float]
) -> None:
    replies = [failure(503, None), failure(429, None)]
    usual = server.answer
    server.answer = lambda body: replies.pop() if replies and "passage 1, from" in str(body) else usual(body)
    result = ask(api, mode)
    assert result["answer"]["kind"] == "model"
    assert len(answers_asked(server)) == 3
    assert len(waited) == 2
    assert 0 < waited[0] <= 0.5 <= waited[1] <= 1


FAILURES = (
    (failure(500, None), "The model's provider answered with status 500."),
    (failure(429, None), "The model's provider does not take more requests at the moment."),
    (failure(401, "invalid_api_key"), "The model's provider does not accept the key."),
    (Reply(raw=b"<html>", content_type="text/html"), "The model's server answered in a form that is not known."),
)


@pytest.mark.usefixtures("waited")
def test_a_provider_that_fails_leaves_an_answer_of_the_files_that_says_so(
    api: APIClient, mode: str, server: OpenAIServer
) -> None:
    for reply, reason in FAILURES:
        server.answer = always(reply)
        result = ask(api, mode)
        assert result["answer"]["kind"] == "extractive"
        assert (f"{SAID}.", True) in said(result)
        assert f"The language model did not finish. {reason}" in result["notes"]
        assert BY_SENTENCES in result["notes"]
        if mode in REPHRASING:
            assert f"The question was not rephrased. {reason}" in result["notes"]


def test_a_request_that_is_given_up_ends_the_models_call(api: APIClient, mode: str, server: OpenAIServer) -> None:
    server.answer = writing(lambda number: Reply((f"{SAID} [{number}]. ", "And "), endless=True, pause=0.01))
    response: Any = api.post("/api/search", {"query": QUESTION, "mode": mode}, HTTP_ACCEPT="text/event-stream")
    for piece in response.streaming_content:
        if piece.startswith(b"event: answer"):
            break
    assert not server.left.is_set()
    response.close()
    assert server.left.wait(within(5))
