"""The schema is complete and stable, /docs needs no other host, and the browsable API works everywhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from files.models import FileRecord, FileThumbnail
from files.webhooks import subscribing
from integrations.services import connect
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key
from personas import services as persona_services
from search import conversations
from tests.routes import Route, routes

# /mcp is described by its own protocol.
API = [route for route in routes() if route.is_api and not route.is_tus and route.name not in ("schema", "mcp")]


@pytest.fixture(scope="module")
def schema() -> Any:
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def test_schema_is_made_without_warnings_and_is_valid(tmp_path: Any) -> None:
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yml"))


def test_schema_is_served_as_openapi_3_1(client: Client) -> None:
    response = client.get("/api/schema/?format=json")
    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.1")


def test_every_api_address_and_method_is_in_the_schema(schema: Any) -> None:
    documented = {(path, method) for path, item in schema["paths"].items() for method in item if method != "parameters"}
    expected = {(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", r.template), method) for r in API for method in r.methods}
    assert documented == expected


def test_operation_ids_are_unique_and_stable(schema: Any) -> None:
    """Programs are generated from these names: changing one breaks its users."""
    ids = [op["operationId"] for item in schema["paths"].values() for op in item.values()]
    assert not [name for name, count in Counter(ids).items() if count > 1]
    assert set(ids) >= {
        *("files_list", "files_retrieve", "files_partial_update", "files_destroy"),
        *("files_upload_initiate", "files_upload_chunk", "files_upload_small", "files_status_retrieve"),
        *("files_content_retrieve", "files_download_retrieve", "files_retry_create", "files_cancel_create"),
        *("personas_list", "personas_create", "personas_update", "personas_partial_update", "personas_destroy"),
        *("personas_clone_create", "personas_export_retrieve", "personas_import_create", "personas_default_create"),
        *("conversations_list", "conversations_retrieve", "conversations_destroy", "conversations_destroy_all"),
        *("search_create", "files_search_create", "auth_token_create", "auth_refresh_create", "auth_revoke_create"),
    }
    assert not [name for name in ids if re.search(r"_\d+$", name)], "a numeral moves when an address is added"


def test_open_addresses_say_so_and_the_others_ask_for_credentials(schema: Any) -> None:
    for path, item in schema["paths"].items():
        for operation in item.values():
            schemes = {name for option in operation.get("security", []) for name in option}
            is_open = path in ("/api/auth/token", "/api/auth/refresh", "/api/auth/revoke") or "/health" in path
            assert not schemes if is_open else {"apiKey", "jwtAuth", "cookieAuth"} <= schemes, path


def test_docs_page_takes_everything_from_this_host(client: Client) -> None:
    response = client.get("/docs")
    page = response.content.decode()

    assert response.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(assets) >= 3
    assert all(asset.startswith("/") and not asset.startswith("//") for asset in assets), assets
    assert not re.search(r"<script(?![^>]*(?:src|nonce)=)", page), "the content policy stops inline scripts"
    assert client.get("/docs?script=").status_code == 200
    for asset in assets:
        if asset.startswith("/static/"):
            served = client.get(asset)
            served.close()
            assert served.status_code == 200, asset


@pytest.mark.parametrize("route", API, ids=lambda route: route.name)
def test_browsable_api_renders_for_the_owner(
    route: Route, alice: User, make_file: Callable[..., FileRecord], client: Client
) -> None:
    file = make_file(alice)
    FileRecord.objects.filter(pk=file.pk).update(media_type="image/png")  # which has a preview
    FileThumbnail.objects.create(file=file, data=b"a picture", media_type="image/webp", width=1, height=1)
    persona = persona_services.create(alice, {"name": "a persona"})
    persona_services.make_default(alice, persona)
    conversation = conversations.begin(alice, conversations.NewTurn("Where?", "basic"))
    assert conversation is not None
    values = {"file_id": file.pk, "key_id": create_api_key(alice, "a program").record.pk}
    values["integration_id"] = connect(alice, "openai", "a model", {"key": "sk-1"}).pk
    values |= {"persona_id": persona.pk, "conversation_id": conversation.pk}
    values["webhook_id"] = subscribing.create(alice, "https://example.org/", ["ready"]).webhook.pk
    alice.is_staff = True  # some are for staff alone
    alice.save()
    client.force_login(alice)

    response = client.get(route.path(values), headers={"Accept": "text/html"})

    expected = 200 if "get" in route.methods else 405
    response.close()
    assert response.status_code == expected
    if route.name not in ("api-file-download", "api-file-preview", "api-file-thumbnail", "api-persona-export"):  # bytes
        assert response["Content-Type"].startswith("text/html")
