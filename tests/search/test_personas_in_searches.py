"""A search as a persona: what it may see, what is left out, in which mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from personas import services as personas
from personas.models import Persona

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


def test_anothers_persona_is_not_there(as_alice: Any, bob: User, library: dict[str, FileRecord]) -> None:
    hidden, shown = persona(bob, tags=["work"]), persona(bob, tags=["work"], shared=True)

    answer = ask(as_alice, persona=str(hidden.pk))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "persona_not_found")
    assert names(ask(as_alice, persona=str(shown.pk))) == {"work.txt"}
    assert not FileRecord.objects.filter(owner=bob).exists(), "what is searched are the asker's files"
