"""Where one is signed in: told in plain words, ended one by one or all but this."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from orchestra.accounts import browser_sessions
from orchestra.accounts.devices import device_in_words
from orchestra.accounts.models import AuditEvent, BrowserSession, User

PASSWORD = "correct horse battery"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"


def browser(agent: str = LINUX, address: str = "198.51.100.7") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    assert client.post("/sign-in", {"username": "alice", "password": PASSWORD}).status_code == 302
    return client


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (LINUX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("curl/8.5.0", "A program"),
        ("", "A program"),
        ("<script>alert(1)</script> Firefox/1" + "x" * 9000, "Firefox"),
    ],
)
def test_devices_are_told_in_plain_words(agent: str, words: str) -> None:
    assert device_in_words(agent) == words


def test_the_page_lists_them_and_says_which_is_this_one(alice: User) -> None:
    here, _ = browser(), browser(IPHONE, "203.0.113.9")
    html = here.get("/account").content.decode()
    this, other = html.split('<p class="row-title">')[1:3]
    assert "Firefox on Linux" in this
    assert "this one" in this
    assert "198.51.100.7" in this
    assert "Safari on iPhone" in other
    assert "203.0.113.9" in other
    assert "this one" not in other.split("</li>")[0]


def test_one_is_ended_and_the_rest_stay(alice: User, client: Client) -> None:
    here, there = browser(), browser(IPHONE)
    row = BrowserSession.objects.get(device="Safari on iPhone")
    assert here.post(f"/account/sessions/{row.pk}/end")["Location"] == "/account#sessions"
    assert (here.get("/account").status_code, there.get("/account").status_code) == (200, 302)
    assert here.post(f"/account/sessions/{row.pk}/end").status_code == 404
    assert AuditEvent.objects.latest("id").action == "session_ended"


def test_all_others_are_ended_even_those_that_were_never_used(alice: User, bob: User, client: Client) -> None:
    client.force_login(bob)
    here, others = browser(), [browser(), browser(IPHONE)]
    here.post("/account/sessions/end-others")
    assert here.get("/account").status_code == client.get("/account").status_code == 200
    assert [one.get("/account").status_code for one in others] == [302, 302]


def test_nobody_ends_anothers(alice: User, bob: User, client: Client) -> None:
    here = browser()
    client.force_login(bob)
    assert client.post(f"/account/sessions/{BrowserSession.objects.get(user=alice).pk}/end").status_code == 404
    client.post("/account/sessions/end-others")
    assert here.get("/account").status_code == 200


def test_what_is_signed_out_is_listed_no_more(alice: User) -> None:
    here = browser()
    here.post("/sign-out")
    assert not BrowserSession.objects.exists()


def test_a_session_of_before_is_listed_once_it_is_used(alice: User) -> None:
    here = browser()
    BrowserSession.objects.all().delete()
    browser_sessions._seen.clear()
    here.get("/account")
    assert BrowserSession.objects.get().device == "Firefox on Linux"


def test_being_seen_is_written_down_once_a_minute(alice: User) -> None:
    here = browser()
    here.get("/account")
    first = BrowserSession.objects.get().seen_at
    here.get("/account")
    assert BrowserSession.objects.get().seen_at == first
    browser_sessions._seen.clear()
    here.get("/account")
    assert BrowserSession.objects.get().seen_at > first


def test_one_that_ends_at_this_moment_is_not_noted_again(alice: User) -> None:
    here = browser()
    request = type("Request", (), {"session": here.session, "META": {}})()
    Session.objects.all().delete()
    browser_sessions._write(request, alice)
    assert not BrowserSession.objects.exists()


def test_profile_is_saved_or_its_fault_is_told(alice: User, client: Client) -> None:
    client.force_login(alice)
    wanted = {"first_name": "Al", "last_name": "Ice", "email": "al@example.org", "is_staff": "on", "username": "root"}
    assert client.post("/account/profile", wanted)["Location"] == "/account"
    alice.refresh_from_db()
    assert (alice.get_full_name(), alice.email, alice.is_staff, alice.username) == (
        "Al Ice",
        "al@example.org",
        False,
        "alice",
    )
    html = client.post("/account/profile", {**wanted, "email": "no address"}).content.decode()
    assert "Enter a valid email address." in html
    assert "of 100.0\xa0GB used" in html


def test_the_page_tells_true_bytes(alice: User, client: Client) -> None:
    client.force_login(alice)
    assert "0 bytes of 107,374,182,400." in client.get("/account").content.decode()
