"""The API's description says what may come: examples that fit, errors with codes that are listed, pages, limits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from rest_framework.test import APIClient

from orchestra.accounts.models import User
from orchestra.monitoring.management.commands.generate_reference import DIRECTORY
from tests.architecture.tree import parsed, sources

# Lists that are bounded and come as a whole, each with its bound.
WITHOUT_PAGES = {
    "integrations_list": "a user has 50 connections at most",
    "integrations_imports": "the last 20 runs",
    "system_status_list": "the checks that the code has",
    "conversations_retrieve": "the newest 200 turns",
}
# What a proxy or a probe of our own is told, and no caller of the API.
NOT_OF_THE_API = {"orchestra/monitoring/proxy/probe.py"}


@pytest.fixture(scope="module")
def document() -> Any:
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def answers(document: Any, operation: Any) -> Iterator[tuple[str, Any]]:
    for status, answer in operation["responses"].items():
        name = answer.get("$ref", "").removeprefix("#/components/responses/")
        yield status, document["components"]["responses"][name] if name else answer


def bodies(document: Any, operation: Any) -> Iterator[tuple[str, Any]]:
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for _, answer in answers(document, operation):
        yield from answer.get("content", {}).items()


def codes_of(document: Any) -> set[str]:
    shared = document["components"]["responses"].values()
    return {code for answer in shared for code in answer["content"]["application/json"]["examples"]}


def test_every_call_has_a_summary_that_is_a_line(document: Any) -> None:
    for call, operation in operations(document):
        assert 3 < len(operation["summary"]) <= 120, call
        assert operation["description"].startswith(operation["summary"][:40]), call


def test_every_body_has_an_example_that_its_shape_allows(document: Any) -> None:
    wrong = []
    for call, operation in operations(document):
        for media_type, described in bodies(document, operation):
            assert described["examples"], f"{call} {media_type}"
            if media_type != "application/json":
                continue
            shape = Draft202012Validator({**described["schema"], "components": document["components"]})
            for example in described["examples"].values():
                errors = shape.iter_errors(example["value"])
                wrong += [f"{call} {list(one.path)}: {one.message[:200]}" for one in errors]
    assert wrong == []


def test_every_call_says_how_it_fails(document: Any) -> None:
    for call, operation in operations(document):
        known = dict(answers(document, operation))
        assert {"406", "500", "503"} <= set(known), call
        assert ("401" in known) is any(operation.get("security", ())) or "/auth/" in call, call
        assert "404" in known or "{" not in call, f"{call}: an id may be unknown"
        assert {"400", "415"} <= set(known) or "application/json" not in dict(bodies_sent(operation)), call
        for status, answer in known.items():
            if status < "400" or "/health" in call:
                continue
            for code, example in answer["content"]["application/json"]["examples"].items():
                assert example["value"]["error"]["code"] == code
                assert example["value"]["error"]["message"].endswith((".", "!")), code


def bodies_sent(operation: Any) -> Any:
    return operation.get("requestBody", {}).get("content", {})


def test_every_code_of_the_api_is_on_the_page_of_codes(document: Any) -> None:
    page = (DIRECTORY / "error-codes.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert codes_of(document) <= listed
    written = {
        node.args[0].value
        for path in sources(tests=False)
        if str(path) not in NOT_OF_THE_API
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "error_body" and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    assert written
    assert written <= listed


def test_every_list_has_pages_by_key_and_says_so(document: Any) -> None:
    lists = set()
    for call, operation in operations(document):
        if not call.startswith("get "):
            continue
        shape = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("schema", {})
        name = shape.get("$ref", "").removeprefix("#/components/schemas/")
        fields = document["components"]["schemas"].get(name, shape).get("properties", {})
        if shape.get("type") == "array" or any(one.get("type") == "array" for one in fields.values()):
            lists.add(operation["operationId"])
        if "results" in fields:
            assert {"cursor", "page", "page_size"} <= {one["name"] for one in operation["parameters"]}, call
            assert "404" in operation["responses"], f"{call}: a cursor may be unknown"
            lists.remove(operation["operationId"])
    single = {"files_retrieve", "files_status_retrieve", "personas_retrieve", "personas_default_retrieve"}
    single |= {"webhooks_retrieve", "files_content_retrieve", "personas_export_retrieve"}
    assert lists - single == set(WITHOUT_PAGES)


def test_what_is_limited_says_how_often_and_when_again(
    document: Any, alice: User, client: APIClient, settings: Any
) -> None:
    limited = {op["operationId"] for _, op in operations(document) if "429" in op["responses"]}
    assert limited == {"auth_token_create"}
    (answer,) = [one for name, one in document["components"]["responses"].items() if name.startswith("Error429")]
    assert set(answer["headers"]) == {"Retry-After", "RateLimit", "RateLimit-Policy"}

    settings.SIGN_IN_ATTEMPTS = 2
    wrong = {"username": "alice", "password": "wrong"}
    for _ in range(2):
        assert client.post("/api/auth/token", wrong, content_type="application/json").status_code == 401
    refused = client.post("/api/auth/token", wrong, content_type="application/json")
    assert refused.status_code == 429
    wait = int(refused["Retry-After"])
    assert 0 < wait <= 601
    assert refused["RateLimit-Policy"] == '"sign-in";q=2;w=600'
    assert refused["RateLimit"] == f'"sign-in";r=0;t={wait}'
