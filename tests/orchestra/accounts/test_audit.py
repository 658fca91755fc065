"""Who did what: each act leaves one row with its actor, and no row is ever changed or deleted."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from rest_framework.test import APIClient

from files import services as files
from files import trash
from files.models import FileRecord
from integrations import services as connections
from orchestra.accounts import audit
from orchestra.accounts.management.commands.export_audit import harmless
from orchestra.accounts.models import AuditAction, AuditEvent, User
from orchestra.accounts.services import create_api_key, revoke_api_key

MakeFile = Callable[..., FileRecord]

PASSWORD = "correct horse battery"
HOME = "198.51.100.7"


def acts() -> list[tuple[str, object]]:
    return list(AuditEvent.objects.order_by("id").values_list("action", "actor_id"))


def test_signing_in_and_out_with_the_address(alice: User) -> None:
    client = Client(REMOTE_ADDR=HOME)
    client.post("/sign-in", {"username": "alice", "password": "wrong"})
    client.post("/sign-in", {"username": "alice", "password": PASSWORD})
    client.post("/sign-out")
    assert acts() == [("sign_in_failed", None), ("signed_in", alice.pk), ("signed_out", alice.pk)]
    assert set(AuditEvent.objects.values_list("address", flat=True)) == {HOME}
    assert "" not in set(AuditEvent.objects.values_list("request_id", flat=True))


def test_a_token_is_a_sign_in_too(alice: User, client: Client) -> None:
    client.post("/api/auth/token", {"username": "alice", "password": PASSWORD}, content_type="application/json")
    assert acts() == [("signed_in", alice.pk)]


def test_what_was_typed_as_a_name_is_not_kept(db: None, client: Client) -> None:
    client.post("/sign-in", {"username": PASSWORD, "password": "alice"})
    assert PASSWORD not in str(list(AuditEvent.objects.values_list()))


def test_keys_and_passwords(alice: User, client: Client) -> None:
    key = create_api_key(alice, "a secret name").record
    revoke_api_key(key)
    revoke_api_key(key)
    client.force_login(alice)
    new = "a battery of horses"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/account/password", data).status_code == 302
    assert acts() == [(name, alice.pk) for name in ("key_created", "key_revoked", "password_changed")]
    assert f"key {key.pk}" in set(AuditEvent.objects.values_list("subject", flat=True))


def test_deletions_by_their_owner_and_by_time(alice: User, as_alice: APIClient, make_file: MakeFile) -> None:
    first, second = make_file(alice, b"one"), make_file(alice, b"two")
    assert as_alice.delete(f"/api/files/{first.pk}").status_code == 204
    first.refresh_from_db()
    files.restore(first)
    files.delete_completely(first)
    files.delete(second)
    trash.purge_trashed(second.pk)
    assert acts() == [
        ("file_trashed", alice.pk),
        ("file_restored", alice.pk),
        ("file_deleted", alice.pk),
        ("file_trashed", alice.pk),
        ("file_deleted", None),
    ]
    assert AuditEvent.objects.first().subject == f"file {second.pk}"  # type: ignore[union-attr]


def test_staff_who_act_on_a_users_things_are_named_themselves(
    alice: User, make_file: MakeFile, admin_user: User, admin_client: Client
) -> None:
    file = make_file(alice, b"one")
    address = f"/admin/files/filerecord/{file.pk}/delete/"
    assert admin_client.post(address, {"post": "yes"}).status_code == 302
    assert {actor for _, actor in acts()} == {admin_user.pk}
    assert "changed_in_admin" in dict(acts())


def test_connections(alice: User) -> None:
    made = connections.connect(alice, "openai", "mine", {"key": "sk-secret", "model": "m"})
    connections.change(made, name="ours")
    connections.disconnect(made)
    assert acts() == [(name, alice.pk) for name in ("connected", "connection_changed", "disconnected")]
    assert "sk-secret" not in str(list(AuditEvent.objects.values_list()))


def test_what_fails_leaves_no_row(alice: User, make_file: MakeFile) -> None:
    file = make_file(alice, b"one")

    def delete_and_break() -> None:
        with transaction.atomic():
            files.delete(file)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        delete_and_break()
    assert acts() == []


@pytest.mark.parametrize("how", ["update", "delete"])
def test_rows_stay_as_they_are(alice: User, how: str) -> None:
    audit.record(AuditAction.SIGNED_OUT, owner_id=alice.pk)
    rows = AuditEvent.objects.all()
    with pytest.raises(IntegrityError, match="only written to"), transaction.atomic():
        rows.update(actor_id=None) if how == "update" else rows.delete()
    assert acts() == [("signed_out", alice.pk)]


def test_a_user_who_is_deleted_stays_in_it(alice: User) -> None:
    audit.record(AuditAction.SIGNED_OUT, owner_id=alice.pk)
    known = alice.pk
    alice.delete()
    assert acts()[0] == ("signed_out", known)


def test_the_export(alice: User) -> None:
    audit.record(AuditAction.KEY_CREATED, subject="key 1", owner_id=alice.pk)
    out = StringIO()
    call_command("export_audit", stdout=out)
    header, row = out.getvalue().splitlines()
    assert header == "at,actor_id,action,subject,address,request_id"
    assert row.split(",")[1:4] == [str(alice.pk), "key_created", "key 1"]
    later = StringIO()
    call_command("export_audit", "--since", "2999-01-01", stdout=later)
    assert later.getvalue().splitlines() == [header]


def test_the_export_brings_no_formula() -> None:
    assert harmless(("=1+1", "+1", "-1", "@a", "\tb", "a=1", "")) == ["'=1+1", "'+1", "'-1", "'@a", "'\tb", "a=1", ""]


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "2026-13-01"])
def test_a_time_that_is_none_is_refused_in_words(db: None, text: str) -> None:
    with pytest.raises(CommandError, match="is no time"):
        call_command("export_audit", "--since", text)
