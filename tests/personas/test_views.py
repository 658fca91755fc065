"""The pages of personas, without JavaScript: gallery, editor, preview, actions, import."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orchestra.accounts.models import User
from personas import exchange, selectors, services
from personas.models import Persona
from personas.prompting import RULES

HOSTILE = '"><script>alert(1)</script>'
FORM: dict[str, Any] = {
    "name": "Reviewer",
    "prompt": "Be exact.\nQuote clauses.",
    "tone": "formal",
    "temperature": "0.4",
    "tags": "contracts\r\n law \r\n\r\n",
    "kinds": ["document", "mail"],
    "blocked_terms": "Nightingale",
}


@pytest.fixture(autouse=True)
def _none_yet(db: None) -> None:
    Persona.objects.all().delete()


def test_an_empty_gallery_says_how_to_begin(browser: Client) -> None:
    html = browser.get("/personas").content.decode()
    assert "No personas yet" in html
    assert 'aria-current="page">Personas</a>' in html


def test_a_persona_is_made_shown_and_changed(browser: Client, alice: User) -> None:
    assert browser.get("/personas/new").status_code == 200
    made = browser.post("/personas/new", FORM)
    persona = Persona.objects.get()
    assert made["Location"] == f"/personas/{persona.pk}"
    assert (persona.owner, persona.tags, persona.kinds) == (alice, ["contracts", "law"], ["document", "mail"])
    assert (persona.temperature, persona.prompt) == (0.4, "Be exact.\nQuote clauses.")

    html = browser.get(made["Location"]).content.decode()
    assert "| Quote clauses." in html
    assert "contracts\nlaw</textarea>" in html
    changed = browser.post(made["Location"], {**FORM, "name": "Other", "kinds": [], "shared": "on"})
    assert changed.status_code == 302
    persona.refresh_from_db()
    assert (persona.name, persona.kinds, persona.shared) == ("Other", [], True)


def test_the_prompt_is_shown_before_anything_is_saved(browser: Client) -> None:
    html = browser.post("/personas/new", {**FORM, "preview": "yes"}).content.decode()
    assert RULES.splitlines()[0] in unescape(html)
    assert "| Be exact." in html
    assert "nothing was saved" in html
    assert not Persona.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"model": "two words"}, "Write the model&#x27;s name"),
        ({"temperature": "nan"}, "Enter a number."),
        ({"tags": "x" * 60}, "at most 50 characters"),
        ({"tone": "rude"}, "Select a valid choice."),
        ({"groups": ["strangers"]}, "not valid"),
        ({"blocked_terms": "\n".join(map(str, range(201)))}, "at most 200"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(browser: Client, change: dict[str, Any], said: str) -> None:
    response = browser.post("/personas/new", {**FORM, **change})
    assert response.status_code == 400
    html = response.content.decode()
    assert said in html
    assert "Quote clauses." in html
    assert not Persona.objects.exists()


def test_a_shared_one_is_read_cloned_and_not_changed(browser: Client, alice: User, bob: User) -> None:
    persona = services.create(bob, {"name": "Bobs", "prompt": "Secret sauce.", "shared": True})
    html = browser.get(f"/personas/{persona.pk}").content.decode()
    assert "| Secret sauce." in html
    assert "Delete the persona" not in html
    assert browser.post(f"/personas/{persona.pk}", FORM).status_code == 403
    browser.post(f"/personas/{persona.pk}/delete")
    persona.refresh_from_db()
    assert persona.name == "Bobs"
    answer = browser.post(f"/personas/{persona.pk}/clone")
    copy = Persona.objects.get(owner=alice)
    assert answer["Location"] == f"/personas/{copy.pk}"


def test_a_private_one_of_another_is_unknown(browser: Client, bob: User) -> None:
    persona = services.create(bob, {"name": "Bobs"})
    for path in (f"/personas/{persona.pk}", f"/personas/{persona.pk}/export"):
        assert browser.get(path).status_code == 404
    for action in ("clone", "delete", "default", "no-default", "unheard-of"):
        assert browser.post(f"/personas/{persona.pk}/{action}").status_code == 404


def test_default_and_deletion(browser: Client, alice: User) -> None:
    persona = services.create(alice, {"name": "Mine"})
    page = browser.post(f"/personas/{persona.pk}/default", follow=True).content.decode()
    assert "Your default" in page
    assert selectors.default_of(alice) == persona
    browser.post(f"/personas/{persona.pk}/no-default")
    assert selectors.default_of(alice) is None
    assert browser.post(f"/personas/{persona.pk}/delete", follow=True).status_code == 200
    assert not Persona.objects.exists()


def test_export_and_import(browser: Client, alice: User) -> None:
    persona = services.create(alice, {"name": "Mine", "prompt": "P"})
    body = browser.get(f"/personas/{persona.pk}/export").content
    assert json.loads(body)["persona"]["prompt"] == "P"
    answer = browser.post("/personas/import", {"file": SimpleUploadedFile("p.json", body)})
    copy = Persona.objects.exclude(pk=persona.pk).get()
    assert answer["Location"] == f"/personas/{copy.pk}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not valid JSON"),
        (b"[]", "no exported persona"),
        (b" " * (exchange.MOST_BYTES + 1), "larger than any exported persona"),
        (
            json.dumps(
                {"format": "orchestra.persona", "version": 1, "persona": {"name": "x", "tone": HOSTILE}}
            ).encode(),
            "tone: Choose one of",
        ),
        (json.dumps({"format": "orchestra.persona", "version": 1, "persona": {HOSTILE: 1}}).encode(), "does not know"),
    ],
)
def test_a_hostile_file_is_refused_with_a_reason(browser: Client, body: bytes, said: str) -> None:
    page = browser.post("/personas/import", {"file": SimpleUploadedFile("p.json", body)}, follow=True).content.decode()
    assert said in page
    assert "<script>alert(1)" not in page
    assert not Persona.objects.exists()


def test_no_file_is_told_too(browser: Client) -> None:
    assert "not valid JSON" in browser.post("/personas/import", follow=True).content.decode()


def test_hostile_texts_are_escaped(browser: Client, alice: User) -> None:
    alice.groups.add(Group.objects.create(name=HOSTILE))
    fields = dict.fromkeys(("name", "description", "prompt"), HOSTILE)
    lists = {"tags": [HOSTILE], "blocked_terms": [HOSTILE], "groups": [HOSTILE]}
    persona = services.create(alice, {**fields, **lists, "shared": True})
    for path in ("/personas", f"/personas/{persona.pk}"):
        html = browser.get(path).content.decode()
        assert "<script>alert(1)" not in html
        assert "alert(1)" in html


def test_strangers_sign_in_first(client: Client, db: None) -> None:
    for path in ("/personas", "/personas/new"):
        assert client.get(path)["Location"].startswith("/sign-in")
