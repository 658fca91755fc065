"""A search as a persona: what it may see, what is left out, in which mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from personas import selectors
from personas import services as personas
from personas.models import Persona
from search import services
from tests.language_model import ScriptedModel

pytestmark = pytest.mark.django_db
MakeFile = Callable[..., FileRecord]


@pytest.fixture
def library(alice: User, make_file: MakeFile) -> dict[str, FileRecord]:
    files = {
        "work": make_file(alice, b"The lighthouse keeper pays rent to Marlowe.", name="work.txt", tags=("work",)),
        "home": make_file(alice, b"The lighthouse on the shelf is a toy.", name="home.txt", tags=("home",)),
    }
    while pipeline.work("a worker"):
        pass
    return files


def persona(owner: User, **fields: Any) -> Persona:
    return personas.create(owner, {"name": "A persona", **fields})


def names(answer: Any) -> set[str]:
    return {hit["file"]["name"] for hit in answer.json()["hits"]}


def ask(client: Any, **more: Any) -> Any:
    return client.post("/api/search", {"query": "lighthouse", **more}, format="json")


def test_only_files_with_its_tags_are_searched(as_alice: Any, alice: User, library: dict[str, FileRecord]) -> None:
    chosen = persona(alice, tags=["work"])

    assert names(ask(as_alice)) == {"work.txt", "home.txt"}
    assert names(ask(as_alice, persona=str(chosen.pk))) == {"work.txt"}
    assert names(ask(as_alice, persona=str(chosen.pk), filters={"tags": ["home"]})) == set()
    assert names(ask(as_alice, persona=None)) == {"work.txt", "home.txt"}


def test_its_terms_are_left_out(as_alice: Any, alice: User, library: dict[str, FileRecord]) -> None:
    chosen = persona(alice, blocked_terms=["Marlowe"])
    whole, blocked = ask(as_alice).content.decode(), ask(as_alice, persona=str(chosen.pk)).content.decode()

    assert "Marlowe" in whole
    assert "Marlowe" not in blocked
    assert "[left out]" in blocked


def test_its_mode_is_taken_where_none_is_named(as_alice: Any, alice: User, library: dict[str, FileRecord]) -> None:
    chosen = persona(alice, mode="deep")

    assert ask(as_alice, persona=str(chosen.pk)).json()["mode"] == "deep"
    assert ask(as_alice, persona=str(chosen.pk), mode="basic").json()["mode"] == "basic"
    assert ask(as_alice).json()["mode"] == "basic"


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ScriptedModel:
    scripted = ScriptedModel(answer="The keeper pays rent to Marlowe [1].", rephrasing="rent of the keeper")
    monkeypatch.setattr(services, "writer_for", lambda *_: scripted)
    return scripted


@pytest.mark.parametrize("mode", ["deep", "super_deep", "creative", "private", "uncensored"])
def test_its_model_writes_but_where_the_mode_has_one_of_its_own(
    alice: User, library: dict[str, FileRecord], model: ScriptedModel, mode: str
) -> None:
    alice.user_permissions.add(Permission.objects.get(codename="search_uncensored"))
    facts = selectors.facts_of(persona(alice, model="acme/large"))

    services.search(alice, "lighthouse", mode=mode, persona=facts)
    own = mode in ("private", "uncensored")
    assert {prompt.model for prompt in model.asked} == {"" if own else "acme/large"}
    model.asked.clear()
    services.search(alice, "lighthouse", mode=mode)
    assert {prompt.model for prompt in model.asked} == {""}


def test_a_default_changes_no_search_of_the_api(as_alice: Any, alice: User, library: dict[str, FileRecord]) -> None:
    personas.make_default(alice, persona(alice, tags=["work"], mode="deep"))

    answer = ask(as_alice)
    assert (names(answer), answer.json()["mode"]) == ({"work.txt", "home.txt"}, "basic")


def test_anothers_persona_is_not_there(as_alice: Any, bob: User, library: dict[str, FileRecord]) -> None:
    hidden, shown = persona(bob, tags=["work"]), persona(bob, tags=["work"], shared=True)

    answer = ask(as_alice, persona=str(hidden.pk))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "persona_not_found")
    assert names(ask(as_alice, persona=str(shown.pk))) == {"work.txt"}
    assert not FileRecord.objects.filter(owner=bob).exists(), "what is searched are the asker's files"
