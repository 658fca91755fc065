"""No made-up call gets an answer that the API's description does not have.

Few calls in every run. Many, in all phases: `PROPERTIES=thorough make test ARGS="tests/abuse/test_fuzzed_api.py -s"`,
for an hour or more; `-k personas` takes one part.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from files import services
from files.models import FileRecord
from files.uploads import NewUpload, initiate
from files.webhooks import subscribing
from integrations.services import connect
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key
from personas import services as persona_services
from search import conversations
from tests.abuse.fuzzing import PHASES, Caller, findings

THOROUGH = os.environ.get("PROPERTIES") == "thorough"

# Parts of the API by their addresses.
PARTS = {
    "accounts": "^/api/auth/",
    "files": r"^/api/files$|^/api/files/{file_id}(?!/upload)",
    "uploads": "^/api/files/upload|^/api/files/{file_id}/upload",
    "trash": "^/api/files/trash",
    "integrations": "^/api/integrations",
    "personas": "^/api/personas",
    "searches": "^/api/search|^/api/files/search",
    "conversations": "^/api/conversations",
    "webhooks": "^/api/webhooks",
    "system": "^/api/health|^/api/system",
}


@pytest.fixture
def caller(live_server: Any, alice: User, make_file: Callable[..., FileRecord]) -> Caller:
    trashed = make_file(alice, b"Thrown away.", name="old.txt")
    services.delete(trashed)
    upload = initiate(alice, NewUpload("b.bin", 2 * 65536, chunk_size=65536)).upload
    conversation = conversations.begin(alice, conversations.NewTurn("Where?", "basic"))
    assert conversation is not None
    ids = {
        "file_id": [make_file(alice).pk, trashed.pk, upload.pk],
        "key_id": [create_api_key(alice, "another program").record.pk],
        "integration_id": [connect(alice, "openai", "a model", {"key": "sk-1"}).pk],
        "persona_id": [persona_services.create(alice, {"name": "a persona"}).pk],
        "conversation_id": [conversation.pk],
        "webhook_id": [subscribing.create(alice, "https://example.org/", ["ready"]).webhook.pk],
    }
    return Caller(live_server.url, create_api_key(alice, "a program").plain, ids)


@pytest.mark.timeout(7200 if THOROUGH else 600)
@pytest.mark.parametrize("part", PARTS)
def test_answers_are_as_described(part: str, caller: Caller) -> None:
    examples, phases = (200, PHASES) if THOROUGH else (3, ("examples", "fuzzing"))
    found = findings(caller, PARTS[part], examples=examples, phases=phases)
    assert not found, "\n".join(map(str, found))
