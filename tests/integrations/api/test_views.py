"""The integrations API: whose connections are seen, and that no secret ever comes back."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from rest_framework.test import APIClient

from integrations import services
from integrations.models import ExternalIntegration
from orchestra.accounts.models import User
from tests.conftest import client_of
from tests.openai_server import KEY, MODEL, OpenAIServer

PATH = "/api/integrations"


@pytest.fixture
def body(openai_server: OpenAIServer, settings: Any) -> dict[str, Any]:
    settings.OUTBOUND_ALLOWED_PRIVATE = (f"127.0.0.1:{openai_server.port}",)
    values = {"base_url": openai_server.base_url, "model": MODEL, "key": KEY}
    return {"provider": "compatible", "name": "Mine", "values": values}


def test_providers_are_listed_with_their_fields(as_alice: APIClient) -> None:
    listed = as_alice.get(PATH).json()
    assert listed["connections"] == []
    names = [provider["name"] for provider in listed["providers"]]
    assert names == ["openai", "openrouter", "portkey", "compatible", "notion", "s3"]
    fields = {field["name"]: field for field in listed["providers"][0]["fields"]}
    assert fields["key"] | {"label": "", "help": ""} == {
        "name": "key",
        "label": "",
        "secret": True,
        "required": True,
        "default": "",
        "help": "",
        "choices": [],
    }


def test_a_connection_is_made_tested_changed_and_deleted(as_alice: APIClient, body: dict[str, Any]) -> None:
    made = as_alice.post(PATH, body)
    assert made.status_code == 201
    address = f"{PATH}/{made.json()['id']}"
    assert made.json()["state"] == "untested"
    assert made.json()["has_credentials"] is True
    verdict = as_alice.post(f"{address}/test").json()
    assert verdict == {
        "works": True,
        "code": "ok",
        "message": verdict["message"],
        "hint": "",
        "models": [MODEL, "large"],
    }
    assert as_alice.get(address).json()["state"] == "works"
    changed = as_alice.patch(address, {"name": "Other", "values": {"model": "unheard-of"}}).json()
    assert (changed["name"], changed["config"]["model"], changed["state"]) == ("Other", "unheard-of", "untested")
    verdict = as_alice.post(f"{address}/test").json()
    assert (verdict["works"], verdict["code"], verdict["models"]) == (False, "model_unknown", [MODEL, "large"])
    assert as_alice.get(PATH).json()["connections"][0]["error"]["code"] == "model_unknown"
    assert as_alice.delete(address).status_code == 204
    assert as_alice.get(address).status_code == 404
    assert not ExternalIntegration.objects.exists()


def test_no_answer_and_no_log_has_a_secret(
    as_alice: APIClient, body: dict[str, Any], openai_server: OpenAIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = as_alice.post(PATH, body)
    address = f"{PATH}/{made.json()['id']}"
    openai_server.key = "another"
    answers = [made, as_alice.get(PATH), as_alice.get(address), as_alice.post(f"{address}/test")]
    answers += [as_alice.patch(address, {"values": {"key": KEY + "\n", "alias": "x"}}), as_alice.get(address)]
    answers += [as_alice.get(address, headers={"Accept": "text/html"})]
    assert all(KEY not in answer.content.decode() for answer in answers)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"provider": "compatible"},
        {"provider": "compatible", "name": "x", "values": []},
        {"provider": "compatible", "name": "x", "values": {"key": ["x"]}},
        {"provider": "compatible", "name": "x", "values": {str(number): "x" for number in range(30)}},
        {"provider": "compatible", "name": "x" * 101, "values": {}},
        {"provider": "nobody", "name": "x", "values": {}},
        {"provider": "compatible", "name": "a\x00b", "values": {}},
    ],
)
def test_a_body_that_is_none_is_told(as_alice: APIClient, wrong: dict[str, Any]) -> None:
    answer = as_alice.post(PATH, wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("invalid", "connection_invalid")


def test_the_installations_are_seen_by_all_and_written_by_staff(
    alice: User, as_alice: APIClient, admin_user_record: User, body: dict[str, Any]
) -> None:
    refused = as_alice.post(PATH, {**body, "installation": True})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "connection_not_yours")
    as_root = client_of(admin_user_record)
    made = as_root.post(PATH, {**body, "installation": True, "name": "Everybody's"}).json()
    address = f"{PATH}/{made['id']}"
    assert made["config"]["model"] == MODEL
    seen = as_alice.get(address).json()
    assert seen == {
        "id": made["id"],
        "provider": "compatible",
        "name": "Everybody's",
        "installation": True,
        "enabled": True,
        "state": "untested",
    }
    assert as_alice.get(PATH).json()["connections"] == [seen]
    for answer in (as_alice.patch(address, {"name": "x"}), as_alice.delete(address), as_alice.post(f"{address}/test")):
        assert answer.status_code == 403
    assert as_root.patch(address, {"enabled": False}).json()["enabled"] is False


def test_staff_do_not_see_what_is_a_users_own(alice: User, admin_user_record: User) -> None:
    made = services.connect(alice, "openai", "Mine", {"key": KEY})
    as_root = client_of(admin_user_record)
    assert as_root.get(f"{PATH}/{made.pk}").status_code == 404
    assert as_root.get(PATH).json()["connections"] == []


def test_the_description_knows_the_addresses(client: Any, db: None) -> None:
    schema = json.loads(client.get("/api/schema/?format=json").content)
    assert "/api/integrations/{integration_id}/test" in schema["paths"]
