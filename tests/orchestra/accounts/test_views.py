"""Signing in and the account page."""

from __future__ import annotations

import pytest
from django.test import Client

from orchestra.accounts.models import ApiKey, User

pytestmark = pytest.mark.django_db


def test_signing_in_leads_to_where_one_wanted_to_go(alice: User, client: Client) -> None:
    form = {"username": "alice", "password": "correct horse battery", "next": "/account"}
    assert client.post("/sign-in", form)["Location"] == "/account"
    assert client.post("/sign-in", {**form, "next": "https://evil.example/"})["Location"] == "/"


def test_a_wrong_password_is_said_without_telling_which_was_wrong(alice: User, client: Client) -> None:
    answers = [
        client.post("/sign-in", {"username": name, "password": "wrong"}).content.decode()
        for name in ("alice", "nobody")
    ]
    assert all("The name or the password is not right." in html for html in answers)


def test_signing_out_takes_a_post(browser: Client) -> None:
    assert browser.get("/sign-out").status_code == 405
    assert browser.post("/sign-out")["Location"] == "/sign-in"


def test_the_account_page_tells_who_and_how_much(browser: Client) -> None:
    html = browser.get("/account").content.decode()
    assert "alice" in html
    assert "of 100.0\xa0GB used" in html
    assert "No keys yet." in html


def test_a_new_key_is_shown_once_and_never_cached(browser: Client) -> None:
    answer = browser.post("/account/keys", {"name": "import"})
    key = ApiKey.objects.get()
    assert f'tabindex="0">{key.prefix}' in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert 'id="key-text"' not in browser.get("/account").content.decode()


def test_a_key_needs_a_name(browser: Client) -> None:
    html = browser.post("/account/keys", {"name": " "}, follow=True).content.decode()
    assert "Give the key a name" in html
    assert not ApiKey.objects.exists()


def test_only_ones_own_keys_can_be_revoked(browser: Client, bob: User) -> None:
    key = ApiKey.objects.create(user=bob, name="bob's", prefix="orc_x", digest="d")
    assert browser.post(f"/account/keys/{key.pk}/revoke").status_code == 404
    key.refresh_from_db()
    assert key.is_active


def test_passwords_are_changed_after_the_old_one_was_given(browser: Client, alice: User) -> None:
    form = {"old_password": "wrong", "new_password1": "staple battery horse", "new_password2": "staple battery horse"}
    assert "Your old password was entered incorrectly" in browser.post("/account/password", form).content.decode()
    assert (
        browser.post("/account/password", {**form, "old_password": "correct horse battery"})["Location"] == "/account"
    )
    alice.refresh_from_db()
    assert alice.check_password("staple battery horse")
