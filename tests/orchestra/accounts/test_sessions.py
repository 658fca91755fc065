"""Sign-in, sign-out and the account page against those who would misuse them; `test_views` has what they show."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from orchestra.accounts.models import ApiKey, User
from orchestra.accounts.services import create_api_key

PASSWORD = "correct horse battery"


def sign_in(client: Client, next_page: str = "") -> str:
    """Sign alice in and return where she is sent."""
    response = client.post("/sign-in", {"username": "alice", "password": PASSWORD, "next": next_page})
    assert response.status_code == 302, response.content
    return response["Location"]


def test_sign_in_leads_to_the_files_or_to_the_page_asked_for(alice: User, client: Client) -> None:
    assert client.get("/")["Location"] == "/sign-in?next=/"
    assert sign_in(client) == "/"
    assert client.get("/").status_code == 200
    assert sign_in(client, "/search?q=a") == "/search?q=a"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "\t//e.example",
    ],
)
def test_sign_in_sends_nobody_elsewhere(alice: User, client: Client, target: str) -> None:
    assert sign_in(client, target) == "/"


def test_wrong_password_and_inactive_user_stay_outside(alice: User, client: Client) -> None:
    for password in ("wrong", PASSWORD):
        response = client.post("/sign-in", {"username": "alice", "password": password})
        if password == "wrong":
            assert response.status_code == 200
            User.objects.update(is_active=False)
    assert response.status_code == 200
    assert "sessionid" not in client.cookies


def test_sign_in_needs_its_csrf_token(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sign-in", {"username": "alice", "password": PASSWORD}).status_code == 403


def test_signing_in_changes_the_session(alice: User, client: Client) -> None:
    sign_in(client)
    first = client.cookies["sessionid"]
    assert first["httponly"]
    assert first["samesite"] == "Lax"
    old = first.value
    client.post("/sign-out")
    sign_in(client)
    assert client.cookies["sessionid"].value != old


def test_sign_out_takes_a_post_and_ends_the_session(alice: User, client: Client) -> None:
    sign_in(client)
    stolen = client.cookies["sessionid"].value
    assert client.get("/sign-out").status_code == 405
    assert client.get("/account").status_code == 200
    assert client.post("/sign-out")["Location"] == "/sign-in"
    client.cookies["sessionid"] = stolen
    assert client.get("/account").status_code == 302


def test_new_key_is_shown_once_and_never_cached(alice: User, client: Client) -> None:
    client.force_login(alice)
    response = client.post("/account/keys", {"name": "<b>a program</b>"})
    (plain,) = set(re.findall(r"orc_[\w-]{40,}", response.content.decode()))
    assert response["Cache-Control"] == "no-store"
    assert b"<b>a program</b>" not in response.content
    assert plain not in client.get("/account").content.decode()
    assert Client().get("/api/auth/me", headers={"Authorization": f"Api-Key {plain}"}).status_code == 200


def test_key_without_a_name_is_not_made(alice: User, client: Client) -> None:
    client.force_login(alice)
    for name in ("", "   ", "\x00"):
        assert client.post("/account/keys", {"name": name}).status_code == 302
    assert not ApiKey.objects.exists()


def test_key_is_revoked_by_post(alice: User, client: Client) -> None:
    key = create_api_key(alice, "a program").record
    client.force_login(alice)
    address = f"/account/keys/{key.pk}/revoke"
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_changed_password_ends_other_sessions(alice: User, client: Client) -> None:
    elsewhere = Client()
    sign_in(elsewhere)
    sign_in(client)
    new = "another horse battery"
    body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/account/password", body).status_code == 302
    assert client.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
