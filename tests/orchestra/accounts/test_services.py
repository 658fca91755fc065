"""Keys, tickets, the first administrator, quotas."""

from __future__ import annotations

import stat
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from orchestra.accounts.models import ApiKey, User
from orchestra.accounts.services import (
    create_api_key,
    ensure_administrator,
    issue_ticket,
    key_digest,
    redeem_ticket,
    revoke_api_key,
)


def opens(plain: str) -> bool:
    response = Client().get("/api/auth/me", headers={"Authorization": f"Api-Key {plain}"})
    assert response.status_code in (200, 401)
    return response.status_code == 200


class TestKeys:
    def test_only_the_digest_is_stored(self, alice: User) -> None:
        created = create_api_key(alice, "a program")
        row = ApiKey.objects.values().get()
        assert opens(created.plain)
        assert row["digest"] == key_digest(created.plain)
        assert created.plain not in str(row)
        assert len(created.plain) >= 40
        assert created.plain.startswith(row["prefix"])
        assert len(row["prefix"]) <= 12

    def test_revoked_expired_and_foreign_keys_open_nothing(self, alice: User) -> None:
        keys = [create_api_key(alice, name) for name in ("revoked", "expired", "future")]
        revoke_api_key(keys[0].record)
        ApiKey.objects.filter(name="expired").update(expires_at=timezone.now() - timedelta(seconds=1))
        ApiKey.objects.filter(name="future").update(expires_at=timezone.now() + timedelta(hours=1))
        assert [opens(key.plain) for key in keys] == [False, False, True]
        assert not opens(keys[2].record.digest)
        assert not opens(keys[2].plain[:-1])
        User.objects.update(is_active=False)
        assert not opens(keys[2].plain)

    def test_revoking_twice_keeps_the_first_time(self, alice: User) -> None:
        key = create_api_key(alice, "a program").record
        revoke_api_key(key)
        first = key.revoked_at
        revoke_api_key(key)
        assert ApiKey.objects.get().revoked_at == first

    def test_last_use_is_noted_once_a_minute(self, alice: User) -> None:
        created = create_api_key(alice, "a program")
        assert ApiKey.objects.get().last_used_at is None
        opens(created.plain)
        first = ApiKey.objects.get().last_used_at
        assert first is not None
        opens(created.plain)
        assert ApiKey.objects.get().last_used_at == first
        ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
        opens(created.plain)
        assert ApiKey.objects.get().last_used_at >= first  # type: ignore[operator]  # it is set

    def test_api_shows_a_key_once_and_uncached(self, as_alice: Any) -> None:
        response = as_alice.post("/api/auth/keys", {"name": "a program"})
        plain = response.json()["key"]
        assert (response.status_code, opens(plain)) == (201, True)
        assert response["Cache-Control"] == "no-store"
        listed = as_alice.get("/api/auth/keys")
        assert plain not in listed.content.decode()
        (key,) = listed.json()["results"]
        assert as_alice.delete(f"/api/auth/keys/{key['id']}").status_code == 204
        assert not opens(plain)
        assert as_alice.get("/api/auth/keys").json()["results"][0]["revoked_at"]

    def test_key_that_expires_before_it_is_made_is_refused(self, as_alice: Any) -> None:
        response = as_alice.post("/api/auth/keys", {"name": "x", "expires_at": "2001-01-01T00:00:00Z"})
        assert response.status_code == 400
        assert "expires_at" in response.json()["error"]["details"]


class TestTickets:
    def test_a_ticket_is_good_once(self, alice: User) -> None:
        ticket = issue_ticket(alice)
        shown = redeem_ticket(ticket)
        assert shown is not None
        assert shown.user_id == alice.pk
        assert redeem_ticket(ticket) is None

    def test_a_ticket_expires_and_is_not_kept_in_the_clear(self, alice: User) -> None:
        ticket = issue_ticket(alice)
        client = cache._cache.get_client(None, write=True)  # type: ignore[attr-defined]  # Django's own
        keys = [key.decode() for key in client.keys("*ticket:*")]
        assert len(keys) == 1
        assert ticket not in keys[0]
        assert 0 < client.ttl(keys[0]) <= 30
        client.delete(keys[0])
        assert redeem_ticket(ticket) is None

    def test_made_up_tickets_are_nothing(self, db: None) -> None:
        assert [redeem_ticket(value) for value in ("", "x", "\x00", "é" * 1000)] == [None] * 4


@pytest.mark.django_db
class TestFirstAdministrator:
    def test_made_once_with_a_password_only_the_owner_may_read(self, settings: Any, tmp_path: Path) -> None:
        settings.STATE_DIR = tmp_path
        first = ensure_administrator()
        assert first is not None
        assert first.password_file is not None
        assert first.password_file.read_text().strip() == first.password
        assert stat.S_IMODE(first.password_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(first.password_file.parent.stat().st_mode) == 0o700
        user = User.objects.get(username=first.username)
        assert (user.is_superuser, user.check_password(first.password)) == (True, True)
        assert ensure_administrator() is None
        assert first.password_file.read_text().strip() == first.password

    def test_a_password_of_ones_own_is_written_nowhere(self, settings: Any, tmp_path: Path) -> None:
        settings.STATE_DIR = tmp_path
        first = ensure_administrator(password="chosen by hand")
        assert first is not None
        assert (first.password_file, list(tmp_path.rglob("*"))) == (None, [])
        assert User.objects.get(username=first.username).check_password("chosen by hand")

    def test_a_taken_name_and_an_open_file_do_not_stop_it(self, settings: Any, tmp_path: Path) -> None:
        """An ordinary user called admin, and a readable file that an earlier version left."""
        settings.STATE_DIR = tmp_path
        User.objects.create_user("admin", password="x")
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "admin_password").write_text("old")
        (tmp_path / "secrets" / "admin_password").chmod(0o644)
        first = ensure_administrator()
        assert first is not None
        assert first.password_file is not None
        assert first.username != "admin"
        assert stat.S_IMODE(first.password_file.stat().st_mode) == 0o600
        assert not User.objects.get(username="admin").is_superuser


def test_quota_is_ones_own_or_the_default(alice: User, settings: Any) -> None:
    settings.DEFAULT_QUOTA = 77
    assert alice.effective_quota == 77
    alice.storage_quota = 0
    assert alice.effective_quota == 0, "no limit"
    assert isinstance(alice.pk, uuid.UUID)


def test_users_change_nothing_that_gives_them_rights(as_alice: Any, alice: User) -> None:
    wanted = {"is_staff": True, "is_superuser": True, "storage_quota": 0, "quota": 0, "username": "root", "id": "x"}
    assert as_alice.patch("/api/auth/me", {**wanted, "first_name": "Al", "preferences": {"a": 1}}).status_code == 200
    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser, alice.storage_quota, alice.username) == (False, False, None, "alice")
    assert (alice.first_name, alice.preferences) == ("Al", {"a": 1})
