"""People and groups: what staff may do, to whom, and that it is written down."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client

from files.models import FileRecord
from orchestra.accounts import people, second_factor
from orchestra.accounts.errors import GroupNameRefused, NotAllowed, NotOnYourself, PersonNotFound
from orchestra.accounts.models import AuditEvent, User
from orchestra.accounts.services import create_api_key
from tests.orchestra.accounts.authenticator import switched_on

PASSWORD = "correct horse battery"


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("stella", password=PASSWORD, is_staff=True)


@pytest.fixture
def browser(staff: User, client: Client) -> Client:
    """The browser of a member of the staff who is no administrator."""
    client.force_login(staff)
    return client


def acts() -> list[tuple[str, object, str]]:
    events = AuditEvent.objects.exclude(action__in=("signed_in",)).order_by("id")
    return list(events.values_list("action", "actor_id", "subject"))


def test_the_pages_are_for_staff(alice: User, bob: User, client: Client) -> None:
    group = Group.objects.create(name="yard")
    paths = ("/people", f"/people/{bob.pk}", "/people/groups", f"/people/groups/{group.pk}")
    assert {client.get(path).status_code for path in paths} == {302}
    client.force_login(alice)
    assert {client.get(path).status_code for path in paths} == {403}
    for path in (
        f"/people/{bob.pk}/deactivate",
        "/people/invite",
        "/people/groups",
        f"/people/groups/{group.pk}/delete",
    ):
        assert client.post(path, {"name": "x", "note": "x"}).status_code == 403
    assert User.objects.get(pk=bob.pk).is_active
    assert [name for name, *_ in acts()] == []


class TestList:
    def test_it_shows_role_state_storage_and_when_seen(
        self, browser: Client, alice: User, make_file: Callable[..., FileRecord]
    ) -> None:
        make_file(alice, b"x" * 2048)
        User.objects.filter(pk=alice.pk).update(is_active=False, storage_quota=10 * 1024)
        rows = browser.get("/people").content.decode().split('<li class="row">')
        hers = next(row for row in rows if ">alice<" in row)
        assert "2.0\xa0KB of 10.0\xa0KB" in hers
        assert "Off" in hers
        assert "never seen" in hers
        his = next(row for row in rows if ">stella<" in row)
        assert "Staff" in his
        assert "last seen" in his

    def test_it_is_searched_and_paged_by_name(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(5):
            User.objects.create_user(f"p{number}", email=f"p{number}@example.org", first_name="Pat")
        monkeypatch.setattr("orchestra.accounts.selectors.PEOPLE_SHOWN", 2)
        seen, path = [], "/people?q=pat"
        while path:
            html = browser.get(path).content.decode()
            seen += [f"p{number}" for number in range(5) if f">p{number}<" in html]
            after = next((part.split('"')[0] for part in html.split("after=")[1:]), "")
            path = f"/people?q=pat&after={after}" if after else ""
        assert seen == ["p0", "p1", "p2", "p3", "p4"]
        assert ">p3<" in browser.get("/people?q=P3@EXAMPLE").content.decode()
        assert "Nobody has all of these words" in browser.get("/people?q=pat+zzz").content.decode()

    def test_it_asks_as_many_questions_for_many_as_for_one(
        self, browser: Client, django_assert_max_num_queries: Any
    ) -> None:
        browser.get("/people")
        for number in range(30):
            User.objects.create_user(f"p{number}")
        with django_assert_max_num_queries(10):
            browser.get("/people")

    def test_names_are_data(self, browser: Client) -> None:
        hostile = "<script>alert(1)</script>"
        person = User.objects.create(username=hostile, first_name=hostile, email=hostile)
        for path in ("/people", f"/people/{person.pk}"):
            assert hostile not in browser.get(path).content.decode()


class TestWhatStaffMayDo:
    def test_somebody_is_shut_out_and_let_in_again(self, browser: Client, staff: User, alice: User) -> None:
        key, hers = create_api_key(alice, "a program").plain, Client()
        hers.force_login(alice)
        browser.post(f"/people/{alice.pk}/deactivate")
        browser.post(f"/people/{alice.pk}/deactivate")
        assert hers.get("/account").status_code == 302
        browser.post(f"/people/{alice.pk}/activate")
        assert hers.get("/account").status_code == 302
        assert Client().get("/api/auth/me", headers={"Authorization": f"Api-Key {key}"}).status_code == 401
        assert hers.post("/sign-in", {"username": "alice", "password": PASSWORD}).status_code == 302
        said = [act for act in acts() if act[0] in ("deactivated", "activated")]
        assert said == [(name, staff.pk, f"user {alice.pk}") for name in ("deactivated", "activated")]

    @pytest.mark.parametrize(
        ("typed", "kept"), [("1.5", 1024**3 + 512 * 1024**2), ("0", 0), ("", None), ("-1", 7), ("much", 7), ("1e99", 7)]
    )
    def test_a_quota_is_set_in_gigabytes(self, browser: Client, alice: User, typed: str, kept: int | None) -> None:
        User.objects.filter(pk=alice.pk).update(storage_quota=7)
        browser.post(f"/people/{alice.pk}/quota", {"quota": typed})
        alice.refresh_from_db()
        assert alice.storage_quota == kept

    def test_a_lost_second_factor_is_taken_away(self, browser: Client, staff: User, alice: User) -> None:
        switched_on(alice)
        browser.post(f"/people/{alice.pk}/reset-two-factor")
        assert not second_factor.is_on(alice)
        assert acts()[-1] == ("two_factor_reset", staff.pk, f"user {alice.pk}")

    def test_staff_cannot_touch_administrators(self, browser: Client, staff: User, admin_user_record: User) -> None:
        switched_on(admin_user_record)
        before = (User.objects.filter(pk=admin_user_record.pk).values().get(), len(acts()))
        for action in ("deactivate", "activate", "staff", "no-staff", "quota", "reset-two-factor", "join", "leave"):
            answer = browser.post(f"/people/{admin_user_record.pk}/{action}", {"quota": "1", "group": "1"}, follow=True)
            assert "Staff cannot change administrators." in answer.content.decode(), action
        assert (User.objects.filter(pk=admin_user_record.pk).values().get(), len(acts())) == before
        assert second_factor.is_on(admin_user_record)

    def test_only_administrators_make_staff(self, staff: User, alice: User, admin_user_record: User) -> None:
        with pytest.raises(NotAllowed):
            people.set_staff(staff, alice.pk, staff=True)
        people.set_staff(admin_user_record, alice.pk, staff=True)
        people.set_staff(admin_user_record, staff.pk, staff=False)
        assert set(User.objects.filter(is_staff=True)) == {alice, admin_user_record}
        assert [name for name, *_ in acts()] == ["staff_made", "staff_unmade"]

    def test_nobody_shuts_themselves_out(self, admin_user_record: User, staff: User) -> None:
        for actor in (admin_user_record, staff):
            for act in (
                lambda who: people.set_active(who, who.pk, active=False),
                lambda who: people.set_staff(who, who.pk, staff=False),
                lambda who: people.reset_second_factor(who, who.pk),
            ):
                with pytest.raises(NotOnYourself):
                    act(actor)

    def test_who_is_no_longer_staff_does_nothing(self, staff: User, alice: User) -> None:
        User.objects.filter(pk=staff.pk).update(is_staff=False)
        for act in (
            lambda: people.set_active(staff, alice.pk, active=False),
            lambda: people.set_quota(alice, staff.pk, 1),
            lambda: people.create_group(alice, "x"),
        ):
            with pytest.raises(NotAllowed):
                act()

    def test_an_unknown_person_or_action_is_not_found(self, browser: Client, staff: User, alice: User) -> None:
        with pytest.raises(PersonNotFound):
            people.set_quota(staff, uuid4(), 1)
        assert browser.post(f"/people/{uuid4()}/quota", {"quota": "1"}).status_code == 404
        assert browser.get(f"/people/{uuid4()}").status_code == 404
        assert browser.post(f"/people/{alice.pk}/promote").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_administrators_who_shut_each_other_out_at_once_leave_one() -> None:
    two = [User.objects.create_superuser(name, password=PASSWORD) for name in ("one", "other")]

    def shut_out(pair: tuple[User, User]) -> None:
        try:
            people.set_active(pair[0], pair[1].pk, active=False)
        except NotAllowed:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(shut_out, [(two[0], two[1]), (two[1], two[0])]))
    assert User.objects.filter(is_active=True).count() == 1


class TestAdmin:
    """The built-in admin keeps the last administrator too."""

    def test_the_last_administrator_stays_one(self, admin_client: Client, admin_user: User) -> None:
        address = f"/admin/accounts/user/{admin_user.pk}/"
        form = {"username": "admin", "is_staff": "on", "is_active": "on", "preferences": "{}"}
        for moment in ("date_joined", "last_login"):
            form |= {f"{moment}_0": "2026-01-01", f"{moment}_1": "00:00:00"}
        assert b"This is the last administrator" in admin_client.post(f"{address}change/", form).content
        assert b"the last administrator" in admin_client.post(f"{address}delete/", {"post": "yes"}).content
        User.objects.create_superuser("other", password=PASSWORD)
        assert admin_client.post(f"{address}change/", form).status_code == 302
        assert not User.objects.get(pk=admin_user.pk).is_superuser


class TestGroups:
    def test_made_renamed_filled_and_deleted(self, browser: Client, staff: User, alice: User) -> None:
        browser.post("/people/groups", {"name": " The \0 yard "})
        group = Group.objects.get()
        assert group.name == "The yard"
        browser.post(f"/people/groups/{group.pk}/rename", {"name": "Yard"})
        browser.post(f"/people/groups/{group.pk}/add", {"username": "alice"})
        browser.post(f"/people/{alice.pk}/join", {"group": str(group.pk)})
        assert ">alice<" in browser.get(f"/people/groups/{group.pk}").content.decode()
        assert "1 member<" in browser.get("/people/groups").content.decode()
        assert "Yard" in browser.get(f"/people/{alice.pk}").content.decode()
        browser.post(f"/people/{alice.pk}/leave", {"group": str(group.pk)})
        assert not alice.groups.exists()
        assert browser.post(f"/people/groups/{group.pk}/delete")["Location"] == "/people/groups"
        assert not Group.objects.exists()
        assert {actor for _, actor, _ in acts()} == {staff.pk}
        names = [name for name, *_ in acts()]
        assert names == ["group_created", "group_renamed", "group_joined", "group_left", "group_deleted"]

    @pytest.mark.parametrize("name", ["", "  ", "\0", "x" * 151, "yard"])
    def test_a_name_must_be_one_of_its_own(self, staff: User, name: str) -> None:
        people.create_group(staff, "yard")
        other = people.create_group(staff, "shed")
        with pytest.raises(GroupNameRefused):
            people.create_group(staff, name)
        with pytest.raises(GroupNameRefused):
            people.rename_group(staff, other.pk, name)

    def test_a_group_with_permissions_is_for_administrators(
        self, staff: User, admin_user_record: User, alice: User
    ) -> None:
        group = people.create_group(staff, "uncensored")
        group.permissions.set(Permission.objects.all()[:1])
        acts_on_it: list[Callable[[User], object]] = [
            lambda actor: people.join(actor, staff.pk, group.pk),
            lambda actor: people.rename_group(actor, group.pk, "harmless"),
            lambda actor: people.delete_group(actor, group.pk),
        ]
        for act in acts_on_it:
            with pytest.raises(NotAllowed):
                act(staff)
        people.join(admin_user_record, alice.pk, group.pk)
        with pytest.raises(NotAllowed):
            people.leave(staff, alice.pk, group.pk)

    def test_faults_are_told(self, browser: Client) -> None:
        group = Group.objects.create(name="yard")
        for path, body, words in (
            ("/people/groups", {"name": "yard"}, "a group of that name already"),
            (f"/people/groups/{group.pk}/add", {"username": "nobody"}, "There is no such person."),
            (f"/people/groups/{group.pk}/rename", {"name": ""}, "needs a name of its own"),
        ):
            assert words in browser.post(path, body, follow=True).content.decode()
        assert browser.post(f"/people/groups/{group.pk}/sell").status_code == 404
        assert browser.get("/people/groups/999").status_code == 404


def test_pages_link_to_the_admin_for_those_who_may_see_it(browser: Client, admin_client: Client, alice: User) -> None:
    link = f"/admin/accounts/user/{alice.pk}/change/"
    assert link not in browser.get(f"/people/{alice.pk}").content.decode()
    assert link in admin_client.get(f"/people/{alice.pk}").content.decode()
    assert f"/people/{alice.pk}" in admin_client.get(link).content.decode()
