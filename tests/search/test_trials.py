"""A persona tried on a question: its prompt, its answer, and nothing that stays."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from personas import services as personas
from personas.models import Persona
from search import services
from search.models import Conversation, SearchAudit, SearchQuery
from tests.answers import error_of
from tests.language_model import ScriptedModel

pytestmark = pytest.mark.django_db

QUESTION = "Who keeps the lighthouse?"
FIELDS: dict[str, Any] = {"name": "Reviewer", "prompt": "Be exact.", "blocked_terms": ["Marlowe"]}


@pytest.fixture(autouse=True)
def library(alice: User, make_file: Callable[..., FileRecord]) -> None:
    Persona.objects.all().delete()
    make_file(alice, b"The lighthouse is kept by Marlowe since 1911.", "lighthouse.txt")
    make_file(alice, b"The lighthouse on the shelf is a toy.", "toy.txt", tags=("home",))
    while pipeline.work("test"):
        pass


def nothing_stayed() -> bool:
    return not any(model.objects.exists() for model in (SearchQuery, Conversation, SearchAudit))


def test_a_persona_that_is_not_saved_answers(as_alice: APIClient) -> None:
    body = as_alice.post("/api/personas/preview", {**FIELDS, "question": QUESTION}).json()
    assert "| Be exact." in body["prompt"]
    assert body["result"]["mode"] == "deep", "a trial wants an answer"
    assert "[left out]" in str(body["result"]["answer"]["sentences"])
    assert "Marlowe" not in str(body["result"])
    assert nothing_stayed()
    assert not Persona.objects.exists()


def test_without_a_question_the_prompt_alone_is_shown(as_alice: APIClient) -> None:
    for more in ({}, {"question": ""}):
        body = as_alice.post("/api/personas/preview", {**FIELDS, **more}).json()
        assert "| Be exact." in body["prompt"]
        assert body["result"] is None


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({}, "name"), ({"name": "x", "tone": "rude"}, "tone"), ({"name": "x", "model": "two words"}, "model")],
)
def test_wrong_fields_are_named(as_alice: APIClient, fields: dict[str, Any], wrong: str) -> None:
    response = as_alice.post("/api/personas/preview", {**fields, "question": QUESTION})
    assert list(error_of(response, 400)["details"]) == [wrong]


def test_a_saved_one_answers_in_its_mode_and_scope(as_alice: APIClient, alice: User) -> None:
    persona = personas.create(alice, {"name": "At home", "mode": "creative", "tags": ["home"]})
    result = as_alice.post(f"/api/personas/{persona.pk}/preview", {"question": QUESTION}).json()["result"]
    assert result["mode"] == "creative"
    assert {hit["file"]["name"] for hit in result["hits"]} == {"toy.txt"}
    assert nothing_stayed()


def test_anothers_persona_searches_the_files_of_the_one_who_tries_it(
    as_alice: APIClient, as_bob: APIClient, alice: User
) -> None:
    hidden, shared = personas.create(alice, FIELDS), personas.create(alice, {**FIELDS, "shared": True})
    foreign, unknown = (
        error_of(as_bob.post(f"/api/personas/{pk}/preview", {"question": QUESTION}), 404) for pk in (hidden.pk, uuid4())
    )
    assert foreign == unknown
    assert as_bob.post(f"/api/personas/{shared.pk}/preview", {"question": QUESTION}).json()["result"]["hits"] == []


def test_a_mode_that_needs_a_permission_needs_it_on_trial_too(as_alice: APIClient) -> None:
    response = as_alice.post("/api/personas/preview", {"name": "x", "mode": "uncensored", "question": QUESTION})
    assert error_of(response, 403)["code"] == "mode_not_allowed"


def test_its_model_and_temperature_are_asked(as_alice: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ScriptedModel(answer="The lighthouse is kept since 1911 [1].", rephrasing="keeper of the lighthouse")
    monkeypatch.setattr(services, "writer_for", lambda *_: model)
    as_alice.post("/api/personas/preview", {**FIELDS, "model": "acme/large", "temperature": 1.5, "question": QUESTION})
    assert {prompt.model for prompt in model.asked} == {"acme/large"}
    assert [prompt.temperature for prompt in model.asked if prompt.purpose == "answer"] == [1.5]


def test_the_editor_shows_the_answer_and_saves_nothing(browser: Client, alice: User) -> None:
    form = {**FIELDS, "tone": "neutral", "blocked_terms": "Marlowe", "question": QUESTION}
    new = unescape(browser.post("/personas/trial", form).content.decode())
    assert "[left out]" in new
    assert "In mode Deep" in new
    assert "| Be exact." in new
    assert 'class="cite" href="/files/' in new
    assert 'action="/personas/new"' in new, "what is saved goes where it always goes"
    persona = personas.create(alice, FIELDS)
    changed = browser.post(f"/personas/{persona.pk}/trial", {**form, "blocked_terms": "", "prompt": "Be brief."})
    html = unescape(changed.content.decode())
    assert "kept by Marlowe" in html
    assert "| Be brief." in html
    persona.refresh_from_db()
    assert (persona.prompt, Persona.objects.count()) == ("Be exact.", 1)
    assert nothing_stayed()


def test_the_editor_tells_what_is_wrong(browser: Client) -> None:
    wrong = browser.post("/personas/trial", {"name": "", "tone": "neutral", "question": QUESTION})
    assert (wrong.status_code, "This field is required." in wrong.content.decode()) == (400, True)
    model = browser.post("/personas/trial", {"name": "x", "tone": "neutral", "model": "two words"})
    assert (model.status_code, "name as its provider does" in model.content.decode()) == (400, True)
    empty = browser.post("/personas/trial", {"name": "x", "tone": "neutral", "question": " "}).content.decode()
    assert "There is nothing to search for." in empty


def test_one_that_is_only_shared_is_tried_as_it_is(browser: Client, bob: User) -> None:
    shared = personas.create(bob, {**FIELDS, "shared": True})
    html = browser.post(f"/personas/{shared.pk}/trial", {"question": QUESTION, "prompt": "Other."}).content.decode()
    assert "[left out]" in html
    assert "| Be exact." in html
    assert "Other." not in html
    hidden = personas.create(bob, FIELDS)
    assert browser.post(f"/personas/{hidden.pk}/trial", {"question": QUESTION}).status_code == 404
