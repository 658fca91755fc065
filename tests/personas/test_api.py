"""/api/personas: every call, the shape of answers and errors, imports that are hostile."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from orchestra.accounts.models import User
from personas import services
from personas.exchange import MOST_BYTES
from personas.models import Persona

FIELDS: dict[str, Any] = {"name": "Reviewer", "prompt": "Be exact.", "tone": "formal", "tags": ["contracts"]}


@pytest.fixture(autouse=True)
def _none_yet(db: None) -> None:
    Persona.objects.all().delete()


def test_from_making_to_deleting(as_alice: APIClient) -> None:
    made = as_alice.post("/api/personas", FIELDS)
    assert made.status_code == 201
    body = made.json()
    assert {**body, **FIELDS} == body
    assert (body["owner"], body["changeable"], body["is_default"], body["shared"]) == ("alice", True, False, False)
    address = f"/api/personas/{body['id']}"
    assert as_alice.get(address).json() == body

    patched = as_alice.patch(address, {"temperature": 0.3}).json()
    assert (patched["temperature"], patched["prompt"]) == (0.3, "Be exact.")
    put = as_alice.put(address, {"name": "Other"}).json()
    assert (put["name"], put["prompt"], put["temperature"], put["tags"]) == ("Other", "", None, [])

    assert as_alice.delete(address).status_code == 204
    assert as_alice.get(address).json()["error"]["code"] == "persona_not_found"


def test_lists_are_paged_and_by_name(as_alice: APIClient) -> None:
    for name in ("c", "a", "b"):
        as_alice.post("/api/personas", {"name": name})
    page = as_alice.get("/api/personas?page_size=2").json()
    assert (page["count"], [one["name"] for one in page["results"]]) == (3, ["a", "b"])
    assert [one["name"] for one in as_alice.get(page["next"]).json()["results"]] == ["c"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "tone": "rude"}, "tone"),
        ({"name": "x", "mode": "psychic"}, "mode"),
        ({"name": "x", "temperature": 3}, "temperature"),
        ({"name": "x", "tags": "a"}, "tags"),
        ({"name": "x", "kinds": ["dreams"]}, "kinds"),
        ({"name": "x", "model": "two words"}, "model"),
        ({"name": "x", "prompt": "x" * 8001}, "prompt"),
        ({"name": "x", "groups": ["strangers"]}, "groups"),
        ({"name": "x", "blocked_terms": ["x"] * 201}, "blocked_terms"),
    ],
)
def test_wrong_fields_are_named(as_alice: APIClient, fields: dict[str, Any], field: str) -> None:
    response = as_alice.post("/api/personas", fields)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] in ("invalid", "persona_invalid")
    assert list(error["details"]) == [field]
    assert not Persona.objects.exists()


def test_put_needs_a_name(as_alice: APIClient, alice: User) -> None:
    persona = services.create(alice, FIELDS)
    response = as_alice.put(f"/api/personas/{persona.pk}", {"tone": "plain"})
    assert response.status_code == 400
    assert list(response.json()["error"]["details"]) == ["name"]


def test_a_number_that_is_none_is_refused_by_every_way(as_alice: APIClient) -> None:
    response = as_alice.post("/api/personas", {"name": "x", "temperature": "nan"}, format="multipart")
    assert response.status_code == 400
    response = as_alice.post("/api/personas", b'{"name": "x", "temperature": NaN}', content_type="application/json")
    assert response.status_code == 400
    assert not Persona.objects.exists()


def test_what_is_shared_may_be_used_cloned_and_exported_and_not_changed(
    as_alice: APIClient, as_bob: APIClient, alice: User
) -> None:
    persona = services.create(alice, {**FIELDS, "shared": True})
    address = f"/api/personas/{persona.pk}"
    assert as_bob.get(address).json()["changeable"] is False
    for method in (as_bob.put, as_bob.patch, as_bob.delete):
        response = method(address, FIELDS)
        assert (response.status_code, response.json()["error"]["code"]) == (403, "persona_not_yours")
    copy = as_bob.post(f"{address}/clone")
    assert (copy.status_code, copy.json()["owner"], copy.json()["name"]) == (201, "bob", "Copy of Reviewer")
    assert as_bob.get(f"{address}/export").status_code == 200
    services.update(alice, persona, {"shared": False})
    for path in (address, f"{address}/export"):
        assert as_bob.get(path).status_code == 404
    for path in (f"{address}/clone", f"{address}/default"):
        assert as_bob.post(path).status_code == 404


def test_the_default_is_chosen_and_given_up(as_alice: APIClient, alice: User) -> None:
    assert as_alice.get("/api/personas/default").status_code == 404
    persona = services.create(alice, FIELDS)
    assert as_alice.post(f"/api/personas/{persona.pk}/default").json()["is_default"] is True
    assert as_alice.get("/api/personas/default").json()["id"] == str(persona.pk)
    assert as_alice.delete("/api/personas/default").status_code == 204
    assert as_alice.delete("/api/personas/default").status_code == 204
    assert as_alice.get("/api/personas/default").status_code == 404
    assert as_alice.post(f"/api/personas/{uuid4()}/default").status_code == 404


def test_export_is_a_file_that_import_takes(as_alice: APIClient, as_bob: APIClient, alice: User) -> None:
    persona = services.create(alice, FIELDS)
    exported = as_alice.get(f"/api/personas/{persona.pk}/export")
    assert exported["Content-Disposition"] == f'attachment; filename="persona-{persona.pk}.json"'
    imported = as_bob.post("/api/personas/import", exported.content, content_type="application/json")
    assert imported.status_code == 201
    assert {**imported.json(), **FIELDS, "owner": "bob"} == imported.json()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "parse_error"),
        (b"[" * 200_000, 400, "parse_error"),
        (b"9" * 9_000, 400, "parse_error"),
        (b"[]", 400, "persona_file_invalid"),
        (b'{"format":"orchestra.persona","version":9,"persona":{}}', 400, "persona_file_invalid"),
        (
            b'{"format":"orchestra.persona","version":1,"persona":{"name":"x","owner":"root"}}',
            400,
            "persona_file_invalid",
        ),
        (b'{"format":"orchestra.persona","version":1,"persona":{"name":7}}', 400, "persona_invalid"),
        (b'{"format":"orchestra.persona","version":1,"persona":{"name":"\\u0000"}}', 400, "persona_invalid"),
        (b" " * (MOST_BYTES + 1), 413, "persona_file_too_large"),
    ],
    ids=["cut", "deep", "number", "list", "version", "unknown", "type", "empty", "large"],
)
def test_hostile_imports_are_refused(as_alice: APIClient, body: bytes, status: int, code: str) -> None:
    response = as_alice.post("/api/personas/import", body, content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert not Persona.objects.exists()


def test_a_full_account_is_told(as_alice: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personas.rules.MOST_PERSONAS", 1)
    as_alice.post("/api/personas", {"name": "1"})
    response = as_alice.post("/api/personas", {"name": "2"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "personas_too_many")
