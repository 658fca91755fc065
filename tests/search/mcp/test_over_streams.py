"""`manage.py mcp` by the SDK's own client, which starts it as a process."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from mcp import Client

from files.models import FileRecord
from orchestra.accounts.models import User
from tests.search.mcp.conftest import CARD, over_streams


@pytest.mark.django_db(transaction=True)
def test_the_sdks_client_searches_lists_and_reads_one_users_files(
    alice: User, harbour: FileRecord, zebrafish: FileRecord
) -> None:
    async def scenario(client: Client) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"search", "read_file", "list_files"}
        files = (await client.call_tool("list_files", {})).structured_content
        assert [file["name"] for file in files["files"]] == ["harbour.txt"]
        found = await client.call_tool("search", {"query": "harbour master"})
        assert found.structured_content["hits"][0]["file"] == str(harbour.pk)
        assert CARD not in json.dumps(found.structured_content)
        anothers = await client.call_tool("read_file", {"file": str(zebrafish.pk)})
        assert anothers.is_error
        wrong = await client.call_tool("search", {"query": "\x00"})
        assert wrong.is_error
        text = await client.call_tool("read_file", {"file": str(harbour.pk)})
        assert "harbour master" in text.structured_content["parts"][0]["text"]

    over_streams(alice, scenario)


@pytest.mark.django_db
def test_a_user_who_does_not_exist_is_told_before_anything_is_served(alice: User) -> None:
    with pytest.raises(CommandError, match="no such user"):
        call_command("mcp", "--user", "nobody")
