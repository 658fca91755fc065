"""`/mcp` by the SDK's own client: three tools, one key's files, no session, no other site's pages."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.test import Client as DjangoClient
from mcp import Client
from mcp.shared.exceptions import MCPError

from files.models import FileRecord
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key, revoke_api_key
from tests.search.mcp.conftest import CARD, over_http

JSON = "application/json"
ACCEPT = "application/json, text/event-stream"
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_sdks_client_lists_searches_and_reads(
    address: str, alice: User, harbour: FileRecord, zebrafish: FileRecord, mode: str
) -> None:
    async def scenario(client: Client) -> None:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(listed) == {"search", "read_file", "list_files"}
        for tool in listed.values():
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is True
            assert tool.input_schema["additionalProperties"] is False
        files = (await client.call_tool("list_files", {})).structured_content
        assert [file["name"] for file in files["files"]] == ["harbour.txt"]
        found = await client.call_tool("search", {"query": "Who keeps the register?", "mode": "deep"})
        assert not found.is_error
        assert found.structured_content["hits"][0]["file"] == str(harbour.pk)
        text = await client.call_tool("read_file", {"file": str(harbour.pk)})
        (block,) = text.content
        assert json.loads(block.text) == text.structured_content  # type: ignore[union-attr]  # it is text
        assert CARD not in block.text  # type: ignore[union-attr]

    over_http(address, alice, scenario, mode=mode)


def test_one_key_reads_one_users_files(address: str, bob: User, harbour: FileRecord, zebrafish: FileRecord) -> None:
    async def scenario(client: Client) -> None:
        files = (await client.call_tool("list_files", {})).structured_content
        assert [file["name"] for file in files["files"]] == ["zebrafish.txt"]
        hers = await client.call_tool("read_file", {"file": str(harbour.pk)})
        assert hers.is_error
        assert json.loads(hers.content[0].text)["error"]["code"] == "not_found"  # type: ignore[union-attr]
        found = await client.call_tool("search", {"query": "harbour master", "files": [str(harbour.pk)]})
        assert found.structured_content["hits"] == []

    over_http(address, bob, scenario)


def test_errors_of_a_tool_are_told_as_such_and_unknown_tools_as_none(address: str, alice: User) -> None:
    async def scenario(client: Client) -> None:
        wrong = await client.call_tool("search", {"query": "", "owner": "root"})
        assert wrong.is_error
        error = json.loads(wrong.content[0].text)["error"]  # type: ignore[union-attr]
        assert (error["code"], set(error["details"])) == ("invalid", {"query", "owner"})
        with pytest.raises(MCPError, match="no such tool"):
            await client.call_tool("delete_file", {})

    over_http(address, alice, scenario)


@pytest.fixture
def headers(alice: User) -> dict[str, str]:
    return {"Authorization": f"Api-Key {create_api_key(alice, 'a program').plain}", "Accept": ACCEPT}


def post(client: DjangoClient, body: Any, headers: dict[str, str], **more: Any) -> Any:
    return client.post("/mcp", body, content_type=JSON, headers=headers, **more)


@pytest.mark.django_db
class TestRequests:
    def test_a_key_is_needed(self, client: DjangoClient, alice: User, headers: dict[str, str]) -> None:
        assert post(client, LIST, headers).status_code == 200
        client.force_login(alice)
        for wrong in ({}, {"Authorization": "Api-Key orc_wrong"}, {"Authorization": "Bearer " + headers["Accept"]}):
            answer = post(client, LIST, {"Accept": ACCEPT, **wrong})
            assert answer.status_code == 401, "a session is no key"
            assert answer["WWW-Authenticate"] == "Api-Key"

    def test_a_revoked_key_is_none(self, client: DjangoClient, alice: User) -> None:
        made = create_api_key(alice, "a program")
        revoke_api_key(made.record)
        assert post(client, LIST, {"Authorization": f"Api-Key {made.plain}", "Accept": ACCEPT}).status_code == 401

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ("http://testserver", 200),
            ("https://evil.example.org", 403),
            ("null", 403),
            ("http://[", 403),
            ("", 403),
        ],
    )
    def test_other_sites_pages_are_refused(
        self, client: DjangoClient, headers: dict[str, str], origin: str, status: int
    ) -> None:
        assert post(client, LIST, {**headers, "Origin": origin}).status_code == status

    def test_other_hosts_are_refused(self, client: DjangoClient, headers: dict[str, str]) -> None:
        assert post(client, LIST, {**headers, "Host": "evil.example.org"}).status_code == 400

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", "parse_error"),
            (b"{", "parse_error"),
            (b"\xff\xfe", "parse_error"),
            (b"[" * 100_000, "parse_error"),
            (b'"' + b"x" * 300_000 + b'"', "message_too_large"),
        ],
    )
    def test_what_is_no_message_is_told(
        self, client: DjangoClient, headers: dict[str, str], body: bytes, code: str
    ) -> None:
        answer = post(client, body, headers)
        assert answer.status_code in (400, 413)
        assert answer.json()["error"]["code"] == code

    @pytest.mark.parametrize(
        "message",
        [
            [],
            [LIST, LIST],
            {},
            {"jsonrpc": "1.0", "id": 1, "method": "tools/list"},
            {**LIST, "method": "tools/unheard-of"},
            {**LIST, "method": "subscriptions/listen"},
            {**LIST, "method": "tools/call", "params": []},
            {**LIST, "method": "tools/call", "params": {"name": 7}},
            {**LIST, "method": "tools/call", "params": {"name": "search", "arguments": "x"}},
            {**LIST, "id": {"a": 1}},
        ],
    )
    @pytest.mark.parametrize("version", ["", "2025-06-18", "2026-07-28", "1066-10-14", "x" * 1000])
    def test_messages_that_make_no_sense_are_answered(
        self, client: DjangoClient, headers: dict[str, str], message: Any, version: str
    ) -> None:
        more = {"MCP-Protocol-Version": version} if version else {}
        answer = post(client, json.dumps(message), {**headers, **more})
        assert answer.status_code < 500
        assert b"Traceback" not in answer.content

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
    def test_there_is_nothing_but_post(self, client: DjangoClient, headers: dict[str, str], method: str) -> None:
        assert getattr(client, method)("/mcp", headers=headers).status_code == 405

    def test_a_notification_is_taken(self, client: DjangoClient, headers: dict[str, str]) -> None:
        answer = post(client, {"jsonrpc": "2.0", "method": "notifications/initialized"}, headers)
        assert (answer.status_code, answer.content) in ((202, b""), (202, b"null"))
        assert answer["Cache-Control"] == "no-store"


def test_requests_beside_one_another_do_not_mix(
    address: str, alice: User, bob: User, harbour: FileRecord, zebrafish: FileRecord
) -> None:
    """Each is answered in a thread of its own, on one event loop."""
    from concurrent.futures import ThreadPoolExecutor

    keys = {user.username: create_api_key(user, "a program").plain for user in (alice, bob)}
    names = {"alice": "harbour.txt", "bob": "zebrafish.txt"}
    call = {**LIST, "method": "tools/call", "params": {"name": "list_files", "arguments": {}}}

    def ask(name: str) -> tuple[str, str]:
        headers = {"Authorization": f"Api-Key {keys[name]}", "Accept": ACCEPT}
        answer = httpx.post(address, json=call, headers=headers, timeout=30)
        return name, answer.json()["result"]["structuredContent"]["files"][0]["name"]

    with ThreadPoolExecutor(8) as threads:
        for name, file in threads.map(ask, ["alice", "bob"] * 12):
            assert file == names[name]
