"""Invitations: one link, one account, for a week; a code that does not hold tells nothing."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import F
from django.test import Client

from orchestra.accounts import invitations
from orchestra.accounts.errors import InvitationInvalid, NotAllowed, UserNameTaken
from orchestra.accounts.invitations import NewPerson
from orchestra.accounts.models import AuditEvent, Invitation, User

PASSWORD = "correct horse battery"
FORM = {
    "username": "nina",
    "first_name": "Nina",
    "last_name": "",
    "email": "",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("stella", password=PASSWORD, is_staff=True)


def invite(staff: User, **form: object) -> str:
    """Invite by the page and return the code of the link."""
    client = Client()
    client.force_login(staff)
    answer = client.post("/people/invite", {"note": "Nina of the yard", "quota": "", **form})
    (code,) = set(re.findall(r"http://testserver/invitation#([\w-]{43})", answer.content.decode()))
    assert answer["Cache-Control"] == "no-store"
    assert code not in client.get("/people").content.decode()
    assert "Nina of the yard" in client.get("/people").content.decode()
    return str(code)


def accept(code: str, **form: str) -> tuple[int, str]:
    answer = Client().post("/invitation", {**FORM, "code": code, **form})
    return answer.status_code, answer.content.decode()


def test_the_link_makes_an_account_that_is_signed_in(staff: User, client: Client) -> None:
    group = Group.objects.create(name="yard")
    code = invite(staff, quota="2", groups=[group.pk])
    assert code not in str(list(Invitation.objects.values_list()))
    assert client.get("/invitation").status_code == 200
    answer = client.post("/invitation", {**FORM, "code": code})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    user = User.objects.get(username="nina")
    assert (user.is_staff, user.is_superuser, user.storage_quota) == (False, False, 2 * 1024**3)
    assert list(user.groups.all()) == [group]
    assert client.get("/account").status_code == 200
    assert Client().post("/sign-in", {"username": "nina", "password": PASSWORD}).status_code == 302
    events = AuditEvent.objects.order_by("id").values_list("action", "actor_id")
    assert list(events)[:3] == [("invited", staff.pk), ("invitation_accepted", user.pk), ("signed_in", user.pk)]
    assert Invitation.objects.get().accepted_by == user


def test_nothing_but_what_is_asked_for_is_taken(staff: User) -> None:
    assert accept(invite(staff), is_staff="on", is_superuser="on", storage_quota="0", epoch="9")[0] == 302
    user = User.objects.get(username="nina")
    assert (user.is_staff, user.is_superuser, user.storage_quota) == (False, False, None)


@pytest.mark.parametrize("how", ["used", "withdrawn", "too old", "inviter gone", "never given", "empty", "hostile"])
def test_a_code_that_does_not_hold_says_the_same_and_makes_nothing(staff: User, how: str) -> None:
    code = invite(staff)
    if how == "used":
        accept(code, username="first")
    elif how == "withdrawn":
        invitations.withdraw(staff, Invitation.objects.get().pk)
    elif how == "too old":
        Invitation.objects.update(expires_at=F("expires_at") - timedelta(days=8))
    elif how == "inviter gone":
        User.objects.filter(pk=staff.pk).update(is_active=False)
    code = {"never given": "x" * 43, "empty": "", "hostile": "\0\ud800'\""}.get(how, code)
    before = User.objects.count()
    # A name that is taken, so that a form which is looked at too early would tell.
    status, html = accept(code.encode(errors="replace").decode(), username="stella")
    assert status == 200
    assert "This invitation does not hold, or no longer." in html
    assert "already exists" not in html
    assert User.objects.count() == before


def test_a_fault_of_the_form_uses_nothing_up(staff: User) -> None:
    code = invite(staff)
    assert "already exists" in accept(code, username="stella")[1]
    assert "too common" in accept(code, password1="password12", password2="password12")[1]
    assert f'value="{code}"' in accept(code, password2="other")[1]
    assert accept(code)[0] == 302


def test_a_name_that_was_taken_meanwhile_uses_nothing_up(staff: User) -> None:
    code = invitations.make(staff, "x").code
    with pytest.raises(UserNameTaken):
        invitations.accept(code, NewPerson("stella", PASSWORD))
    assert invitations.accept(code, NewPerson("nina", PASSWORD)).username == "nina"


@pytest.mark.django_db(transaction=True)
def test_of_those_who_come_at_once_with_one_link_one_gets_the_account() -> None:
    staff = User.objects.create_user("stella", password=PASSWORD, is_staff=True)
    code = invitations.make(staff, "one").code

    def accepted(number: int) -> bool:
        try:
            invitations.accept(code, NewPerson(f"user{number}", PASSWORD))
        except InvitationInvalid:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(accepted, range(16))) == 1
    assert User.objects.count() == 2


def test_groups_with_permissions_are_not_handed_out_by_staff(staff: User) -> None:
    group = Group.objects.create(name="uncensored")
    group.permissions.set(Permission.objects.all()[:1])
    with pytest.raises(NotAllowed):
        invitations.make(staff, "x", groups=[group.pk])
    assert not Invitation.objects.exists()
    client = Client()
    client.force_login(staff)
    answer = client.post("/people/invite", {"note": "x", "groups": [group.pk]})
    assert "carries permissions" in answer.content.decode()


def test_only_staff_invite_and_withdraw(alice: User, staff: User) -> None:
    made = invitations.make(staff, "x").row
    for act in (lambda: invitations.make(alice, "x"), lambda: invitations.withdraw(alice, made.pk)):
        with pytest.raises(NotAllowed):
            act()
    client = Client()
    client.force_login(staff)
    client.post(f"/people/invitations/{made.pk}/withdraw")
    assert not Invitation.objects.exists()
    assert [event.action for event in AuditEvent.objects.order_by("id")][:2] == ["invited", "invitation_withdrawn"]
