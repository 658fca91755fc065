"""Files and personas are read only when they changed, and changed only as they were read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from files import services as file_services
from files import states
from files.models import FileRecord, ProcessingJob
from orchestra.accounts.models import User
from orchestra.common.conditional import Changed
from personas import services
from personas.models import Persona


@pytest.fixture(params=["file", "persona"])
def address(request: Any, alice: User, make_file: Callable[..., FileRecord]) -> str:
    if request.param == "file":
        return f"/api/files/{make_file(alice).pk}"
    return f"/api/personas/{services.create(alice, {'name': 'a persona'}).pk}"


def tag_of(client: APIClient, address: str) -> str:
    tag: str = client.get(address)["ETag"]
    assert tag.startswith('"'), "a strong one"
    return tag


def test_what_did_not_change_is_not_sent_again(address: str, as_alice: APIClient) -> None:
    tag = tag_of(as_alice, address)
    for header in (tag, f'"other", W/{tag}', "*"):
        again = as_alice.get(address, headers={"If-None-Match": header})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    for header in ('"other"', "nonsense", ""):
        assert as_alice.get(address, headers={"If-None-Match": header}).status_code == 200


def test_what_changed_is_sent(address: str, as_alice: APIClient) -> None:
    tag = tag_of(as_alice, address)
    changed = as_alice.patch(address, {"name": "another name"})
    assert changed["ETag"] != tag
    read = as_alice.get(address, headers={"If-None-Match": tag})
    assert (read.status_code, read["ETag"]) == (200, changed["ETag"])


@pytest.mark.parametrize("method", ["patch", "put", "delete"])
def test_what_somebody_else_changed_is_left_alone(method: str, address: str, as_alice: APIClient) -> None:
    if method == "put" and "/files/" in address:
        pytest.skip("files have no PUT")
    tag = tag_of(as_alice, address)
    as_alice.patch(address, {"name": "somebody else's"})
    call = getattr(as_alice, method)
    for header in (tag, '"nonsense"', "nonsense", f"W/{tag_of(as_alice, address)}"):
        stale = call(address, {"name": "mine"}, headers={"If-Match": header})
        assert stale.status_code == 412
        assert stale.json()["error"]["code"] == "precondition_failed"
    assert as_alice.get(address).json()["name"] == "somebody else's"
    fresh = call(address, {"name": "mine"}, headers={"If-Match": f'"nonsense", {tag_of(as_alice, address)}'})
    assert fresh.status_code in (200, 204)


def test_any_version_may_be_changed_by_a_star_or_without_the_header(address: str, as_alice: APIClient) -> None:
    assert as_alice.patch(address, {"name": "one"}, headers={"If-Match": "*"}).status_code == 200
    assert as_alice.patch(address, {"name": "two"}).status_code == 200


def test_what_moves_by_itself_changes_the_tag_and_keeps_nobody_from_renaming(
    as_alice: APIClient, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    address = f"/api/files/{make_file(alice, b'First.').pk}"
    mine = f"/api/files/{make_file(alice, b'Second.').pk}"
    tag = tag_of(as_alice, mine)
    as_alice.delete(address)  # it waits behind one file less
    assert tag_of(as_alice, mine) != tag
    assert as_alice.patch(mine, {"name": "b.txt"}, headers={"If-Match": tag}).status_code == 200


def test_a_change_of_the_files_status_is_a_change(
    as_alice: APIClient, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    file = make_file(alice)
    tag = tag_of(as_alice, f"/api/files/{file.pk}")
    states.touch(file.pk)
    assert as_alice.delete(f"/api/files/{file.pk}", headers={"If-Match": tag}).status_code == 412
    assert ProcessingJob.objects.filter(file=file).exists()


def test_the_version_is_looked_at_under_the_rows_lock(alice: User, make_file: Callable[..., FileRecord]) -> None:
    file, persona = make_file(alice), services.create(alice, {"name": "a persona"})
    stale = frozenset({"0"})
    for change in (
        lambda: file_services.update(file, name="x", versions=stale),
        lambda: file_services.delete(file, versions=stale),
        lambda: services.update(alice, persona, {"name": "x"}, stale),
        lambda: services.delete(alice, persona, stale),
    ):
        with connection.execute_wrapper(_Watching()) as _, pytest.raises(Changed):
            change()
        assert _Watching.locked
        _Watching.locked = False


class _Watching:
    """Notes whether a row was locked."""

    locked = False

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        _Watching.locked |= "FOR UPDATE" in sql or "FOR NO KEY UPDATE" in sql
        return execute(sql, *rest)


def test_two_changes_of_one_moment_have_two_versions(alice: User) -> None:
    """In one transaction the clock stands still."""
    persona = services.create(alice, {"name": "a persona"})
    versions = {services.update(alice, persona, {"name": name}).version for name in ("one", "two", "three")}
    assert len(versions) == 3
    assert Persona.objects.get(pk=persona.pk).version == max(versions)
