"""Export and import: out and in again is the same persona; hostile documents are refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestra.accounts.models import User
from personas import exchange, rules, services
from personas.errors import InvalidPersona, InvalidPersonaFile, PersonaFileTooLarge

FULL: dict[str, Any] = {
    "name": "Prüfer 审阅",
    "description": "Reads contracts.",
    "prompt": 'Answer in "quotes".\n| and bars',
    "tone": "formal",
    "mode": "basic",
    "model": "gpt-4o-mini",
    "temperature": 0.0,
    "tags": ["contracts", "法律"],
    "kinds": ["document"],
    "blocked_terms": ["Project Nightingale"],
}


def document(**fields: object) -> dict[str, Any]:
    return {"format": exchange.FORMAT, "version": exchange.VERSION, "persona": {**FULL, **fields}}


@pytest.mark.django_db
def test_out_and_in_again_is_the_same_persona_and_private(alice: User, bob: User) -> None:
    persona = services.create(alice, {**FULL, "shared": True})
    body = json.dumps(exchange.document_of(persona)).encode()

    copy = services.import_document(bob, exchange.parsed(body))

    assert {name: getattr(copy, name) for name in rules.PORTABLE} == FULL
    assert (copy.owner, copy.shared, copy.groups.count()) == (bob, False, 0)
    assert alice.username not in body.decode()


@pytest.mark.django_db
def test_what_is_left_out_has_its_default(alice: User) -> None:
    least = {"format": exchange.FORMAT, "version": 1, "persona": {"name": "Least"}}
    persona = services.import_document(alice, least)
    assert (persona.tone, persona.tags, persona.temperature) == ("neutral", [], None)


def test_the_largest_persona_fits() -> None:
    wide = "\U0001f642"
    largest = {
        "name": wide * rules.LONGEST_NAME,
        "description": wide * rules.LONGEST_DESCRIPTION,
        "prompt": wide * rules.LONGEST_PROMPT,
        "tags": [f"{n:03}" + wide * (rules.LONGEST_TAG - 3) for n in range(rules.MOST_TAGS)],
        "kinds": list(rules.KINDS),
        "blocked_terms": [f"{n:03}" + wide * (rules.LONGEST_TERM - 3) for n in range(rules.MOST_TERMS)],
    }
    body = json.dumps(document(**largest), indent=2).encode()
    assert rules.cleaned(exchange.fields_of(exchange.parsed(body)))["prompt"] == largest["prompt"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b'{"format": NaN}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"9" * 10_000,
        b'"\\ud800',
    ],
    ids=lambda body: body[:10].decode("latin-1"),
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPersonaFile):
        exchange.parsed(body)


def test_what_is_too_large_is_not_parsed() -> None:
    with pytest.raises(PersonaFileTooLarge):
        exchange.parsed(b" " * (exchange.MOST_BYTES + 1))


@pytest.mark.parametrize(
    ("hostile", "said"),
    [
        (None, "no exported persona"),
        ([], "no exported persona"),
        ("orchestra.persona", "no exported persona"),
        ({**document(), "format": ["orchestra.persona"]}, "no exported persona"),
        ({**document(), "version": 2}, "version of the format"),
        ({**document(), "version": True}, "version of the format"),
        ({**document(), "version": "1"}, "version of the format"),
        ({**document(), "owner": "root"}, "and no others"),
        ({**document(), "persona": ["name"]}, "and no others"),
        ({"format": exchange.FORMAT, "version": 1}, "and no others"),
        (document(owner="root"), "fields that this server does not know"),
        (document(shared=True), "fields that this server does not know"),
        (document(id="x", __class__="y"), "fields that this server does not know"),
        ({"format": exchange.FORMAT, "version": 1, "persona": {}}, "has no name"),
    ],
)
def test_documents_of_another_shape_are_refused(hostile: object, said: str) -> None:
    with pytest.raises(InvalidPersonaFile) as caught:
        exchange.fields_of(hostile)
    assert said in caught.value.message


# Null is no temperature, an empty list no tags, "x" a term.
HARMLESS: list[tuple[str, object]] = [
    ("temperature", None),
    ("kinds", []),
    *((name, values) for name in ("tags", "blocked_terms") for values in ([], ["x"])),
]
ODD: list[object] = [None, 7, [], {}, {"$ne": 1}, ["x"], True, 1e999, [[[]]], {"name": "x"}]
WRONG = [(field, value) for field in rules.PORTABLE for value in ODD if (field, value) not in HARMLESS]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_value_of_a_wrong_type_is_told(field: str, value: object) -> None:
    with pytest.raises(InvalidPersona) as caught:
        rules.cleaned(exchange.fields_of(document(**{field: value})))
    assert list(caught.value.details) == [field]


@pytest.mark.parametrize(("field", "value"), HARMLESS)
def test_empty_values_are_kept(field: str, value: object) -> None:
    assert rules.cleaned(exchange.fields_of(document(**{field: value})))[field] == value
