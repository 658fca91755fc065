"""The second factor: set up, asked for wherever a password is taken, replaced by recovery codes, taken away."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pyotp
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from integrations.services import rotate_credentials
from orchestra.accounts import second_factor
from orchestra.accounts.errors import TwoFactorCodeWrong, TwoFactorNotBegun
from orchestra.accounts.models import AuditAction, AuditEvent, RecoveryCode, SecondFactor, User
from orchestra.accounts.services import create_api_key
from tests.orchestra.accounts.authenticator import Authenticator, key_of_draft, switched_on

PASSWORD = "correct horse battery"
WRONG = "000000"


@pytest.fixture
def telephone(alice: User) -> Authenticator:
    return switched_on(alice)


def password_given(address: str = "198.51.100.7", **more: str) -> Client:
    """Return a browser in which alice's password was given, and no code yet."""
    client = Client(REMOTE_ADDR=address)
    answer = client.post("/sign-in", {"username": "alice", "password": PASSWORD, **more})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/code")
    return client


def token(**more: str) -> Any:
    body = {"username": "alice", "password": PASSWORD, **more}
    return Client().post("/api/auth/token", body, content_type="application/json")


def acts() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


class TestSetUp:
    def test_it_is_on_after_the_first_code_and_not_before(self, alice: User, client: Client) -> None:
        client.force_login(alice)
        assert client.post("/account/two-factor/start")["Location"] == "/account/two-factor"
        page = client.get("/account/two-factor")
        key = key_of_draft(alice)
        assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
        assert "data:image/svg+xml" in page.content.decode()
        assert f"{key[:4]} {key[4:8]}" in page.content.decode()
        assert b"not right" in client.post("/account/two-factor/confirm", {"code": WRONG}).content
        assert Client().post("/sign-in", {"username": "alice", "password": PASSWORD})["Location"] == "/"

        shown = client.post("/account/two-factor/confirm", {"code": f"{pyotp.TOTP(key).now()} "}).content.decode()
        codes = set(re.findall(r"(?:[a-z2-9]{5}-){3}[a-z2-9]{5}", shown))
        assert len(codes) == 10
        assert not codes & set(re.findall(r"[\w-]{23}", client.get("/account/two-factor").content.decode()))
        password_given()
        assert acts()[-1] == "two_factor_on"

    def test_the_key_and_the_codes_are_not_kept_in_clear(self, telephone: Authenticator) -> None:
        row = SecondFactor.objects.get()
        assert telephone.key.encode() not in bytes(row.secret)
        kept = str(list(RecoveryCode.objects.values_list()))
        assert not [code for code in telephone.recovery_codes if code in kept or code.replace("-", "") in kept]

    def test_a_sealed_key_opens_in_its_own_row_alone_and_is_rotated(self, telephone: Authenticator, bob: User) -> None:
        from orchestra.common.errors import CredentialsUnreadable

        second_factor.begin(bob)
        stolen = SecondFactor.objects.get(user=telephone.user).secret
        SecondFactor.objects.filter(user=bob).update(secret=stolen)
        with pytest.raises(CredentialsUnreadable):
            second_factor.draft_of(bob)
        SecondFactor.objects.filter(user=bob).delete()
        assert rotate_credentials().current == 1

    def test_one_that_is_on_is_not_begun_anew(self, telephone: Authenticator) -> None:
        with pytest.raises(TwoFactorNotBegun):
            second_factor.begin(telephone.user)
        with pytest.raises(TwoFactorNotBegun):
            second_factor.confirm(telephone.user, telephone.code())


class TestSignIn:
    def test_the_password_alone_opens_nothing(self, telephone: Authenticator) -> None:
        client = password_given(next="/files")
        assert client.get("/account").status_code == 302
        assert client.get("/api/auth/me").status_code == 401
        assert client.post("/api/auth/keys", {"name": "a key"}).status_code == 401
        assert b"One more step" in client.get("/sign-in/code").content
        assert "signed_in" not in acts()
        answer = client.post("/sign-in/code", {"code": telephone.code()})
        assert (answer.status_code, answer["Location"]) == (302, "/files")
        assert client.get("/account").status_code == 200
        assert acts()[-1] == "signed_in"

    def test_nobody_is_asked_who_gave_no_password_or_long_ago(
        self, telephone: Authenticator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert Client().get("/sign-in/code")["Location"] == "/sign-in"
        assert Client().post("/sign-in/code", {"code": telephone.code()})["Location"] == "/sign-in"
        client = password_given()
        monkeypatch.setattr("orchestra.accounts.second_step.HELD_SECONDS", -1)
        assert client.post("/sign-in/code", {"code": telephone.code()})["Location"] == "/sign-in"
        assert client.get("/account").status_code == 302

    @pytest.mark.parametrize("change", ["password", "deactivated"])
    def test_what_was_begun_ends_with_the_password_and_the_account(self, telephone: Authenticator, change: str) -> None:
        client = password_given()
        if change == "password":
            telephone.user.set_password("another horse battery")
        telephone.user.is_active = change != "deactivated"
        telephone.user.save()
        assert client.post("/sign-in/code", {"code": telephone.code()})["Location"] == "/sign-in"

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_a_clock_may_be_off_by_half_a_minute(self, telephone: Authenticator, steps: int) -> None:
        second_factor.accept(telephone.user, telephone.code(steps))

    @pytest.mark.parametrize("steps", [-4, 4])
    def test_and_by_no_more(self, telephone: Authenticator, steps: int) -> None:
        with pytest.raises(TwoFactorCodeWrong):
            second_factor.accept(telephone.user, telephone.code(steps))

    def test_a_code_is_accepted_once_and_none_before_it(self, telephone: Authenticator) -> None:
        earlier, code = telephone.code(-1), telephone.code()
        second_factor.accept(telephone.user, code)
        for used in (code, earlier):
            with pytest.raises(TwoFactorCodeWrong):
                second_factor.accept(telephone.user, used)

    def test_a_recovery_code_is_accepted_once_however_it_is_typed(self, telephone: Authenticator) -> None:
        first, second, *_ = telephone.recovery_codes
        second_factor.accept(telephone.user, f" {first.upper().replace('-', ' ')} ")
        with pytest.raises(TwoFactorCodeWrong):
            second_factor.accept(telephone.user, first)
        client = password_given()
        assert client.post("/sign-in/code", {"code": second})["Location"] == "/"
        assert second_factor.recovery_codes_left(telephone.user) == 8
        assert "recovery_code_used" in acts()

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "\ud800", "-12345", "1e5000"])
    def test_what_is_no_code_is_wrong_and_breaks_nothing(self, telephone: Authenticator, code: str) -> None:
        with pytest.raises(TwoFactorCodeWrong):
            second_factor.accept(telephone.user, code)

    def test_anothers_code_is_wrong(self, telephone: Authenticator, bob: User) -> None:
        other = switched_on(bob)
        for code in (other.code(), other.recovery_codes[0]):
            with pytest.raises(TwoFactorCodeWrong):
                second_factor.accept(telephone.user, code)

    def test_ten_codes_are_looked_at_and_then_not_even_the_right_one(self, telephone: Authenticator) -> None:
        client = password_given()
        pages = [client.post("/sign-in/code", {"code": WRONG}).content.decode() for _ in range(11)]
        assert ["Too many tries" in page for page in pages] == [False] * 10 + [True]
        assert b"Too many tries" in client.post("/sign-in/code", {"code": telephone.code()}).content
        assert token(code=telephone.code()).status_code == 429
        assert acts().count("sign_in_failed") == 10

    def test_guessing_elsewhere_does_not_lock_the_user_out_at_home(self, telephone: Authenticator) -> None:
        password_given().post("/sign-in/code", {"code": telephone.code()})
        stranger = password_given("203.0.113.9")
        for _ in range(11):
            stranger.post("/sign-in/code", {"code": WRONG})
        assert password_given().post("/sign-in/code", {"code": telephone.code()})["Location"] == "/"

    def test_right_sign_ins_cost_nothing(self, telephone: Authenticator) -> None:
        for _ in range(12):
            assert password_given().post("/sign-in/code", {"code": telephone.code()})["Location"] == "/"

    def test_the_admin_is_no_way_round(self, telephone: Authenticator) -> None:
        User.objects.update(is_staff=True, is_superuser=True)
        client = Client()
        answer = client.post("/admin/login/", {"username": "alice", "password": PASSWORD, "next": "/admin/"})
        assert answer["Location"].startswith("/sign-in?")
        assert client.get("/admin/").status_code == 302
        assert password_given().get("/admin/").status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["by time", "recovery"])
def test_of_requests_at_once_with_one_code_one_is_let_in(alice: User, kind: str) -> None:
    telephone = switched_on(alice)
    code = telephone.code() if kind == "by time" else telephone.recovery_codes[0]

    def accepted(_: int) -> bool:
        try:
            second_factor.accept(alice, code)
        except TwoFactorCodeWrong:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(accepted, range(16))) == 1


class TestTokens:
    def test_a_token_takes_the_code_too(self, telephone: Authenticator) -> None:
        refused = token()
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (401, "two_factor_required")
        assert "`code`" in error["hint"]
        wrong = token(code=WRONG)
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "two_factor_code_wrong")
        assert "signed_in" not in acts()
        right = token(code=telephone.code())
        assert (right.status_code, set(right.json())) == (200, {"access", "refresh"})
        assert acts()[-1] == "signed_in"

    def test_who_has_none_needs_none(self, alice: User) -> None:
        assert token().status_code == token(code="123456").status_code == 200

    def test_a_wrong_password_is_told_alike(self, telephone: Authenticator, bob: User) -> None:
        answers = [
            Client().post("/api/auth/token", {"username": name, "password": "wrong"}, content_type="application/json")
            for name in ("alice", "bob", "nobody")
        ]
        assert len({answer.content for answer in answers}) == 1

    def test_a_key_makes_no_keys(self, alice: User) -> None:
        key = create_api_key(alice, "a program").plain
        by_key = Client(headers={"Authorization": f"Api-Key {key}"})
        answer = by_key.post("/api/auth/keys", {"name": "another"}, content_type="application/json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_may_not_make_keys")
        by_token = Client(headers={"Authorization": f"Bearer {token().json()['access']}"})
        assert by_token.post("/api/auth/keys", {"name": "b"}, content_type="application/json").status_code == 201


class TestOff:
    @pytest.mark.parametrize("action", ["off", "codes"])
    def test_password_and_code_are_asked_for(self, telephone: Authenticator, client: Client, action: str) -> None:
        client.force_login(telephone.user)
        path = f"/account/two-factor/{action}"
        for body in ({"password": "wrong", "code": telephone.code()}, {"password": PASSWORD, "code": WRONG}, {}):
            assert b"not right" in client.post(path, body).content
        assert second_factor.is_on(telephone.user)
        assert second_factor.recovery_codes_left(telephone.user) == 10
        done = client.post(path, {"password": PASSWORD, "code": telephone.code()})
        if action == "off":
            assert done.status_code == 302
            assert token().status_code == 200
            assert acts()[-2:] == ["two_factor_off", "signed_in"]
        else:
            assert not set(telephone.recovery_codes) & set(re.findall(r"[\w-]{23}", done.content.decode()))
            with pytest.raises(TwoFactorCodeWrong):
                second_factor.accept(telephone.user, telephone.recovery_codes[0])

    def test_an_unknown_action_is_none(self, alice: User, client: Client) -> None:
        client.force_login(alice)
        assert client.post("/account/two-factor/reset").status_code == 404

    def test_the_command_lets_somebody_in_again(self, telephone: Authenticator) -> None:
        out = StringIO()
        call_command("reset_two_factor", "alice", stdout=out)
        assert "by the password alone" in out.getvalue()
        assert token().status_code == 200
        assert AuditEvent.objects.filter(action=AuditAction.TWO_FACTOR_RESET).count() == 1
        call_command("reset_two_factor", "alice", stdout=out)
        assert "has no second factor" in out.getvalue()
        with pytest.raises(CommandError, match="no user"):
            call_command("reset_two_factor", "nobody")

    def test_staff_take_it_away_in_the_admin(self, telephone: Authenticator, admin_client: Client) -> None:
        data = {"action": "reset_second_factor", "_selected_action": [str(telephone.user.pk)]}
        assert admin_client.post("/admin/accounts/user/", data).status_code == 302
        assert not second_factor.is_on(telephone.user)
        reset = AuditEvent.objects.get(action=AuditAction.TWO_FACTOR_RESET)
        assert reset.subject == f"user {telephone.user.pk}"
        assert reset.actor_id != telephone.user.pk


class TestRequiredOfStaff:
    @pytest.fixture
    def staff(self, alice: User, settings: Any) -> Client:
        settings.STAFF_TWO_FACTOR = True
        User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
        alice.refresh_from_db()
        client = Client()
        client.force_login(alice)
        return client

    def test_everything_but_setting_it_up_is_closed(self, staff: Client, alice: User) -> None:
        for path in ("/", "/admin/", "/account", "/system/status", "/people"):
            assert staff.get(path)["Location"] == "/account/two-factor", path
        refused = staff.get("/api/system/status")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "two_factor_setup_required")
        assert staff.get("/account/two-factor").status_code == 200
        staff.post("/account/two-factor/start")
        code = pyotp.TOTP(key_of_draft(alice)).now()
        assert staff.post("/account/two-factor/confirm", {"code": code}).status_code == 200
        assert staff.get("/account").status_code == staff.get("/admin/").status_code == 200

    def test_programs_are_closed_out_too(self, staff: Client, alice: User, settings: Any) -> None:
        settings.STAFF_TWO_FACTOR = False
        access, key = token().json()["access"], create_api_key(alice, "a program").plain
        settings.STAFF_TWO_FACTOR = True
        assert token().json()["error"]["code"] == "two_factor_setup_required"
        for value in (f"Bearer {access}", f"Api-Key {key}"):
            assert Client().get("/api/auth/me", headers={"Authorization": value}).status_code == 401
        switched_on(alice)
        assert Client().get("/api/auth/me", headers={"Authorization": f"Bearer {access}"}).status_code == 200

    def test_who_is_no_staff_is_asked_for_nothing(self, bob: User, settings: Any, client: Client) -> None:
        settings.STAFF_TWO_FACTOR = True
        client.force_login(bob)
        assert client.get("/account").status_code == 200
