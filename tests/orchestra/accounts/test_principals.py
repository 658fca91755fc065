"""Whatever somebody was given ends for good with the password, with the account, and when they sign out everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from django.test import Client
from rest_framework.test import APIClient

from files import feeds
from orchestra.accounts import browser_sessions, services
from orchestra.accounts.credentials import Credential, credential_of
from orchestra.accounts.models import ApiKey, AuditEvent, BrowserSession, User
from orchestra.accounts.services import create_api_key, issue_ticket, redeem_ticket, revoke_api_key
from tests.sockets import OUR_ORIGIN, Socket, run

PASSWORD, NEW = "correct horse battery", "another horse battery"


@dataclass(frozen=True)
class Given:
    """Something that alice was given: whether it opens what it is for."""

    opens: Callable[[], bool]


def tokens() -> dict[str, str]:
    body = {"username": "alice", "password": PASSWORD}
    return dict(Client().post("/api/auth/token", body, content_type="application/json").json())


def by_header(value: str) -> bool:
    return Client().get("/api/auth/me", headers={"Authorization": value}).status_code == 200


def session(alice: User) -> Given:
    client = Client()
    client.post("/sign-in", {"username": "alice", "password": PASSWORD})
    return Given(lambda: client.get("/account").status_code == 200)


def access_token(alice: User) -> Given:
    access = tokens()["access"]
    return Given(lambda: by_header(f"Bearer {access}"))


def refresh_token(alice: User) -> Given:
    last = [tokens()["refresh"]]

    def opens() -> bool:
        answer = Client().post("/api/auth/refresh", {"refresh": last[0]}, content_type="application/json")
        last[0] = answer.json().get("refresh", last[0])
        return answer.status_code == 200 and by_header(f"Bearer {answer.json()['access']}")

    return Given(opens)


def api_key(alice: User) -> Given:
    plain = create_api_key(alice, "a program").plain
    return Given(lambda: by_header(f"Api-Key {plain}"))


def ticket(alice: User) -> Given:
    kept = [issue_ticket(alice) for _ in range(3)]
    return Given(lambda: redeem_ticket(kept.pop()) is not None)


def change_on_the_page(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/account/password", body).status_code == 302
    assert client.get("/account").status_code == 200, "who changes it stays"


def change_in_the_admin(alice: User) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password=PASSWORD))
    body = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{alice.pk}/password/", body).status_code == 302


def deactivate_for_a_while(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    User.objects.filter(pk=alice.pk).update(is_active=True)


def sign_out_everywhere(alice: User) -> None:
    stale = User.objects.get(pk=alice.pk)
    services.end_credentials(alice)
    stale.save()  # what was read before must not undo it


@pytest.mark.parametrize("give", [session, access_token, refresh_token, api_key, ticket])
@pytest.mark.parametrize("end", [change_on_the_page, change_in_the_admin, deactivate_for_a_while, sign_out_everywhere])
def test_it_ends_for_good_and_what_is_given_later_does_not(
    alice: User, bob: User, give: Callable[[User], Given], end: Callable[[User], None]
) -> None:
    given, bobs = give(alice), create_api_key(bob, "bob's").plain
    assert given.opens()
    end(alice)
    assert not given.opens()
    assert by_header(f"Api-Key {bobs}")
    alice = User.objects.get(pk=alice.pk)
    alice.set_password(PASSWORD)
    alice.save()
    assert not given.opens(), "not even when the old password is chosen again"
    assert give(alice).opens()


def test_a_hash_that_is_made_anew_at_a_sign_in_ends_nothing(alice: User) -> None:
    from django.contrib.auth.hashers import make_password

    key = api_key(alice)
    User.objects.filter(pk=alice.pk).update(password=make_password(PASSWORD, hasher="md5", salt="short"))
    client = Client()
    client.post("/sign-in", {"username": "alice", "password": PASSWORD})
    assert "short" not in User.objects.get(pk=alice.pk).password
    assert client.get("/account").status_code == 200
    assert key.opens()


def test_the_end_is_seen_in_what_is_listed_and_written_down(alice: User, client: Client) -> None:
    client.force_login(alice)
    create_api_key(alice, "a program")
    assert client.post("/account/sign-out-everywhere")["Location"] == "/sign-in"
    assert client.get("/account").status_code == 302
    assert not BrowserSession.objects.exists()
    assert ApiKey.objects.get().revoked_at is not None
    assert AuditEvent.objects.latest("id").action == "signed_out_everywhere"


class TestSockets:
    """Within a heartbeat, which is 15 s, each socket closes whose own credential ended; others stay."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture(autouse=True)
    def _often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feeds, "HEARTBEAT_SECONDS", 0.1)

    @pytest.mark.parametrize("way", ["session", "API key", "ticket", "ticket of a key"])
    def test_a_socket_ends_with_what_opened_it(self, alice: User, way: str) -> None:
        browser = Client()
        browser.force_login(alice)
        cookie = (b"cookie", f"sessionid={browser.cookies['sessionid'].value}".encode())
        created = create_api_key(alice, "a program")
        header = f"Api-Key {created.plain}"
        by_key = Client(headers={"Authorization": header}).post("/api/auth/ticket").json()["ticket"]
        row = BrowserSession.objects.get()
        socket, end = {
            "session": (Socket(cookie, OUR_ORIGIN), lambda: browser_sessions.end(alice, row.pk)),
            "API key": (Socket((b"authorization", header.encode())), lambda: revoke_api_key(created.record)),
            "ticket": (Socket(query=f"ticket={issue_ticket(alice)}"), lambda: services.end_credentials(alice)),
            "ticket of a key": (Socket(query=f"ticket={by_key}"), lambda: revoke_api_key(created.record)),
        }[way]
        other = Socket(query=f"ticket={issue_ticket(alice)}")
        closed_with(socket, end)
        if way != "ticket":
            run(partial(_lives, other))

    def test_of_two_sockets_of_a_user_the_other_one_stays(self, alice: User) -> None:
        created = create_api_key(alice, "a program")
        ended = Socket((b"authorization", f"Api-Key {created.plain}".encode()))
        stays = Socket(query=f"ticket={issue_ticket(alice)}")

        async def scenario() -> None:
            async with stays:
                await stays.opened()
                await _until_closed(ended, lambda: revoke_api_key(created.record))
                assert (await stays.next_of("heartbeat", 60))["type"] == "heartbeat"

        run(scenario)


def closed_with(socket: Socket, end: Callable[[], object]) -> None:
    run(partial(_until_closed, socket, end))


async def _until_closed(socket: Socket, end: Callable[[], object]) -> None:
    from asgiref.sync import sync_to_async

    async with socket:
        await socket.opened()
        await sync_to_async(end)()
        assert await socket.until_closed() == feeds.NOT_SIGNED_IN


async def _lives(socket: Socket) -> None:
    async with socket:
        await socket.opened()
        assert (await socket.next_of("heartbeat", 60))["type"] == "heartbeat"


def test_a_token_that_ran_out_is_shown_no_more(alice: User) -> None:
    from orchestra.accounts.credentials import still_good

    good = credential_of(alice)
    assert still_good([good, Credential(alice.pk, alice.epoch, ends_at=1.0)]) == {good}


def test_an_api_client_without_a_session_gets_a_ticket(as_alice: APIClient) -> None:
    assert as_alice.post("/api/auth/ticket").status_code == 201
