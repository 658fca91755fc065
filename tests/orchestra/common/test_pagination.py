"""Lists of the API by key: every row once, in order, whatever is added meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from files import services as file_services
from files.listing import SORTS
from files.models import FileRecord, Webhook, WebhookDelivery
from files.webhooks import subscribing
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key
from personas import services
from search import conversations

Make = Callable[[User, Callable[..., FileRecord], str], None]


def _file(user: User, make_file: Callable[..., FileRecord], name: str) -> None:
    make_file(user, f"Text {name}.".encode(), name=f"{name}.txt")


def _trashed(user: User, make_file: Callable[..., FileRecord], name: str) -> None:
    file_services.delete(make_file(user, f"Text {name}.".encode(), name=f"{name}.txt"))


def _persona(user: User, make_file: Callable[..., FileRecord], name: str) -> None:
    services.create(user, {"name": "one name"})


def _conversation(user: User, make_file: Callable[..., FileRecord], name: str) -> None:
    conversations.begin(user, conversations.NewTurn(f"Where is {name}?", "basic"))


def _key(user: User, make_file: Callable[..., FileRecord], name: str) -> None:
    create_api_key(user, name)


def _webhook(user: User, make_file: Callable[..., FileRecord], name: str) -> None:
    subscribing.create(user, "https://example.org/", ["ready"])


def _delivery(user: User, make_file: Callable[..., FileRecord], name: str) -> None:
    webhook = Webhook.objects.filter(owner=user).first()
    if webhook is None:
        webhook = subscribing.create(user, "https://example.org/", ["ready"]).webhook
    WebhookDelivery.objects.create(webhook=webhook, event="ready")


LISTS: dict[str, Make] = {
    "/api/files": _file,
    "/api/files/trash": _trashed,
    "/api/personas": _persona,
    "/api/conversations": _conversation,
    "/api/auth/keys": _key,
    "/api/webhooks": _webhook,
    "/api/webhooks/{}/deliveries": _delivery,
}


@pytest.mark.parametrize("address", LISTS)
def test_every_row_comes_once_by_key(
    address: str, as_alice: APIClient, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    for number in range(5):
        LISTS[address](alice, make_file, str(number))
    place = address.format(getattr(Webhook.objects.first(), "pk", ""))
    whole = as_alice.get(place).json()
    assert (whole["next"], whole["previous"]) == (None, None)
    expected = [row["id"] for row in whole["results"]]
    assert len(expected) >= 5

    seen: list[str] = []
    following: Any = f"{place}?page_size=2"
    while following:
        page = as_alice.get(following)
        seen += [row["id"] for row in page.json()["results"]]
        following = page.json()["next"]
        assert page.json()["count"] == len(expected)
        assert page.get("Link", "") == (f'<{following}>; rel="next"' if following else "")
    assert seen == expected


def test_what_is_added_meanwhile_moves_nothing(
    as_alice: APIClient, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    for number in range(4):
        _file(alice, make_file, str(number))
    first = as_alice.get("/api/files?page_size=2").json()
    _file(alice, make_file, "new")
    second = as_alice.get(first["next"]).json()
    assert [row["name"] for row in first["results"] + second["results"]] == ["3.txt", "2.txt", "1.txt", "0.txt"]
    assert second["next"] is None


def test_filters_stay_on_the_next_page(as_alice: APIClient, alice: User, make_file: Callable[..., FileRecord]) -> None:
    for number in range(3):
        make_file(alice, f"Text {number}.".encode(), tags=("red",) if number else ())
    page = as_alice.get("/api/files?page_size=1&tag=red").json()
    assert len(page["results"] + as_alice.get(page["next"]).json()["results"]) == 2
    assert as_alice.get(as_alice.get(page["next"]).json()["next"] or page["next"]).json()["next"] is None


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_goes_on_by_its_key(
    sort: str, as_alice: APIClient, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    for number in range(5):
        make_file(alice, b"x" * (1 + number % 2) + str(number).encode(), f"{'Bb'[number % 2]}{number % 3}.txt")
    whole = [row["id"] for row in as_alice.get(f"/api/files?sort={sort}").json()["results"]]
    seen: list[str] = []
    following: Any = f"/api/files?sort={sort}&page_size=2"
    while following:
        page = as_alice.get(following).json()
        seen += [row["id"] for row in page["results"]]
        following = page["next"]
    assert seen == whole
    assert len(set(seen)) == 5


def test_pages_can_be_counted_too(as_alice: APIClient, alice: User, make_file: Callable[..., FileRecord]) -> None:
    for number in range(3):
        _file(alice, make_file, str(number))
    page = as_alice.get("/api/files?page=2&page_size=2").json()
    assert [row["name"] for row in page["results"]] == ["0.txt"]
    assert "page_size=2" in page["previous"]


ODD = ["x", "W10", "WyJ4IiwgInkiXQ", "bnVsbA", "WzEsWzJdXQ", "WyJcdTAwMDAiLCIxIl0", "é", "[" * 500]


@pytest.mark.parametrize("odd", ODD)
def test_a_cursor_that_is_none_is_no_page(odd: str, as_alice: APIClient) -> None:
    for address in ("/api/files", "/api/personas", "/api/auth/keys"):
        refused = as_alice.get(address, {"cursor": odd})
        assert refused.status_code == 404
        assert refused.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5"])
def test_a_size_that_is_none_is_refused(size: str, as_alice: APIClient) -> None:
    assert as_alice.get("/api/files", {"page_size": size}).status_code == 400


def test_a_foreign_cursor_shows_nothing_of_the_other(as_alice: APIClient, as_bob: APIClient, alice: User) -> None:
    for _ in range(3):
        services.create(alice, {"name": "mine"})
    following = as_alice.get("/api/personas?page_size=1").json()["next"]
    names = [row["owner"] for row in as_bob.get(following).json()["results"]]
    assert "alice" not in names
