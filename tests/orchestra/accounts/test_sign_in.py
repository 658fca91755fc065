"""Guessing passwords: how often one may try, from where, and what those who are refused are told."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import get_hasher
from django.db import connection
from django.test import Client

from orchestra.accounts import sign_in
from orchestra.accounts.models import SignInBucket, User
from orchestra.accounts.sign_in import Attempt, TooManySignIns

PASSWORD = "correct horse battery"
HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def token(name: str, password: str, address: str = HOME, **headers: str) -> Any:
    body = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/api/auth/token", body, content_type="application/json", headers=headers)


def guess(times: int, name: str = "alice", address: str = HOME) -> list[int]:
    return [token(name, f"wrong {number}", address).status_code for number in range(times)]


def pass_by(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_signinbucket SET updated_at = updated_at - make_interval(secs => %s)", [seconds]
        )


def test_ten_tries_are_looked_at_and_then_not_even_the_right_password(alice: User) -> None:
    assert guess(12) == [401] * 10 + [429] * 2
    refused = token("alice", PASSWORD)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (429, "too_many_sign_ins")
    assert 50 <= int(refused["Retry-After"]) <= 61
    assert f"Wait {refused['Retry-After']} seconds" in error["hint"]


def test_an_account_that_is_not_there_is_refused_alike(alice: User) -> None:
    assert guess(11) == guess(11, "nobody", ELSEWHERE)
    told = [token(name, "wrong", where) for name, where in (("alice", HOME), ("nobody", ELSEWHERE))]
    assert [answer.json()["error"]["code"] for answer in told] == ["too_many_sign_ins"] * 2


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_wrong_password_takes_as_long_for_an_account_that_is_not_there(
    alice: User, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher, hashed = type(get_hasher("default")), list[str]()
    encode = hasher.encode

    def counted(self: Any, password: str, *rest: Any) -> str:
        hashed.append(password)
        return encode(self, password, *rest)

    monkeypatch.setattr(hasher, "encode", counted)
    assert token(name, "wrong").status_code == 401
    assert hashed == ["wrong"]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-IP"])
def test_an_address_that_the_client_claims_counts_for_nothing(alice: User, header: str) -> None:
    seen = [token("alice", "wrong", HOME, **{header: f"192.0.2.{n}"}).status_code for n in range(20)]
    assert seen.count(401) == 10


def test_writing_the_name_otherwise_gives_no_more_tries(alice: User) -> None:
    names = ["alice", "ALICE", "Alice", "\uff41lice"]
    assert [token(names[n % 4], "wrong").status_code for n in range(20)].count(401) == 10


def test_tries_come_back_one_a_minute(alice: User) -> None:
    guess(11)
    pass_by(61)
    assert guess(2) == [401, 429]
    pass_by(600)
    assert token("alice", PASSWORD).status_code == 200


def test_a_right_password_costs_nothing(alice: User) -> None:
    guess(8)
    assert [token("alice", PASSWORD).status_code for _ in range(15)] == [200] * 15


def test_who_guesses_elsewhere_does_not_lock_the_user_out_at_home(alice: User) -> None:
    token("alice", PASSWORD, HOME)
    assert guess(11, address=ELSEWHERE)[-1] == 429
    assert token("alice", PASSWORD, ELSEWHERE).status_code == 429
    assert token("alice", PASSWORD, HOME).status_code == 200
    assert guess(11, address=HOME)[-1] == 429, "guessing at home has its own end"


def test_one_address_cannot_try_one_password_on_all_accounts(db: None) -> None:
    assert [token(f"user {n}", "Winter2026!").status_code for n in range(52)] == [401] * 50 + [429] * 2
    assert token("user 51", "Winter2026!", ELSEWHERE).status_code == 401
    assert SignInBucket.objects.count() == 50 + 2 + 1, "those that are refused leave nothing behind"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("", "no address", False),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (Attempt("a", one).by_address == Attempt("a", other).by_address) is same


@pytest.mark.django_db(transaction=True)
def test_tries_that_come_at_once_cannot_exceed_the_limit() -> None:
    def admitted(_: int) -> bool:
        try:
            sign_in.admit(Attempt("alice", HOME))
        except TooManySignIns:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(admitted, range(60))) == 10


def test_the_page_says_so_and_keeps_the_name(alice: User) -> None:
    guess(10)
    shown = Client(REMOTE_ADDR=HOME).post("/sign-in", {"username": "alice", "password": PASSWORD})
    assert shown.status_code == 200
    text = shown.content.decode()
    assert "Too many tries to sign in. Wait" in text
    assert "is not right" not in text
    assert 'value="alice"' in text


def test_the_admin_has_no_page_of_its_own_for_passwords(alice: User) -> None:
    client = Client(REMOTE_ADDR=HOME)
    User.objects.update(is_staff=True)
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    for ask in (client.get, client.post):
        answer = ask("/admin/login/?next=/admin/", {"username": "alice", "password": PASSWORD})
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/sign-in")
    assert client.get("/admin/").status_code == 302


def test_the_page_answers_for_an_account_that_is_not_there_as_for_a_wrong_password(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher, hashed = type(get_hasher("default")), list[str]()
    encode = hasher.encode

    def counted(self: Any, password: str, *rest: Any) -> str:
        hashed.append(password)
        return encode(self, password, *rest)

    monkeypatch.setattr(hasher, "encode", counted)
    shown, work = set(), []
    for name in ("alice", "nobody"):
        hashed.clear()
        html = Client().post("/sign-in", {"username": name, "password": "wrong"}).content.decode()
        shown.add(re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", html).replace(f'value="{name}"', ""))
        work.append(len(hashed))
    assert len(shown) == 1
    assert work == [1, 1]


def test_an_administrator_lets_somebody_in_again(alice: User, admin_client: Client) -> None:
    guess(10)
    data = {"action": "let_in_again", "_selected_action": [str(alice.pk)]}
    assert admin_client.post("/admin/accounts/user/", data).status_code == 302
    assert token("alice", PASSWORD).status_code == 200


def test_what_limits_nothing_any_more_is_forgotten(alice: User) -> None:
    token("alice", PASSWORD)
    guess(1, "bob", ELSEWHERE)
    assert sign_in.forget_old() == 0
    pass_by(601)
    sign_in.forget_old()
    assert list(SignInBucket.objects.values_list("key", flat=True)) == [Attempt("alice", HOME).by_both]
    pass_by(91 * 86_400)
    assert sign_in.forget_old() == 1


def test_names_and_addresses_are_not_kept_in_clear(alice: User) -> None:
    guess(1)
    kept = str(list(SignInBucket.objects.values_list()))
    assert "alice" not in kept
    assert HOME not in kept


def test_no_limit_where_none_is_wanted(alice: User, settings: Any) -> None:
    settings.SIGN_IN_ATTEMPTS = 0
    assert guess(15) == [401] * 15
    assert not SignInBucket.objects.exists()
