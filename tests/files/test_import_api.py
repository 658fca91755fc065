"""Imports by the API: begun, watched, and seen by whose they are alone."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from files import import_runs, importing, selectors
from files.models import ImportRun
from integrations import services
from integrations.models import ExternalIntegration
from orchestra.accounts.models import User
from tests.answers import error_of
from tests.shelf import Shelf

NUMBERS = ("listed", "unchanged", "added", "changed", "duplicates", "deleted", "failed")


def address(connection: ExternalIntegration, what: str) -> str:
    return f"/api/integrations/{connection.pk}/{what}"


def test_an_import_is_asked_for_runs_and_is_told(
    as_alice: APIClient, shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    shelf.held |= {"a": b"a", "b": b"b"}
    asked = as_alice.post(address(connection, "import"))
    assert asked.status_code == 202
    assert (asked.json()["state"], asked.json()["items"]) == ("waiting", [])
    assert as_alice.post(address(connection, "import")).json()["id"] == asked.json()["id"]
    importing.run(connection.pk)
    (run,) = as_alice.get(address(connection, "imports")).json()["runs"]
    assert run["id"] == asked.json()["id"]
    assert (run["state"], run["error"]) == ("done", {"code": "", "message": "", "hint": ""})
    assert [run[name] for name in NUMBERS] == [2, 0, 2, 0, 0, 0, 0]
    files = {str(file.pk) for file in selectors.files_of(alice)}
    assert {item["file"] for item in run["items"]} == files
    assert {item["action"] for item in run["items"]} == {"added"}


def test_progress_is_seen_while_it_runs(as_alice: APIClient, connection: ExternalIntegration) -> None:
    current = import_runs.begin(connection.pk)
    assert current is not None
    import_runs.count(current, listed=200, unchanged=150)
    (run,) = as_alice.get(address(connection, "imports")).json()["runs"]
    assert (run["state"], run["listed"], run["unchanged"], run["ended_at"]) == ("running", 200, 150, None)


def test_a_file_tells_where_it_comes_from(
    as_alice: APIClient, shelf: Shelf, connection: ExternalIntegration, alice: User, client: Client
) -> None:
    shelf.held["a"] = b"a"
    shelf.origins["a"] = 'https://shelf.example.org/"><script>alert(1)</script>'
    importing.run(connection.pk)
    (file,) = as_alice.get("/api/files").json()["results"]
    assert file["origin"] == shelf.origins["a"]
    client.force_login(alice)
    page = client.get(f"/files/{file['id']}/origin").content.decode()
    assert "Imported from" in page
    assert "<script>alert(1)" not in page


def test_another_user_neither_sees_nor_begins_it(
    as_bob: APIClient, connection: ExternalIntegration, alice: User
) -> None:
    error_of(as_bob.post(address(connection, "import")), 404)
    error_of(as_bob.get(address(connection, "imports")), 404)
    assert not ImportRun.objects.exists()


def test_what_brings_no_documents_or_is_off_is_told(
    as_alice: APIClient, connection: ExternalIntegration, alice: User
) -> None:
    model = services.connect(alice, "openai", "A model", {"key": "sk-1"})
    assert error_of(as_alice.post(address(model, "import")), 409)["code"] == "not_a_source"
    services.change(connection, enabled=False)
    assert error_of(as_alice.post(address(connection, "import")), 409)["code"] == "connection_off"


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_other_methods_are_none(as_alice: APIClient, connection: ExternalIntegration, method: str) -> None:
    assert getattr(as_alice, method)(address(connection, "import")).status_code == 405
