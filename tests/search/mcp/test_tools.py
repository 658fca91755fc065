"""The tools without the protocol: whose files, how much of them, masked, and what is told of hostile arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError

from files import services as file_services
from files.models import FileRecord, FileSegment
from orchestra.accounts.models import User
from search.mcp import tools
from search.mcp.tools import TOOLS, ToolResult, call, gives, takes
from search.models import SearchAudit, SearchQuery
from tests.search.mcp.conftest import CARD

pytestmark = pytest.mark.django_db
MakeFile = Callable[..., FileRecord]


def done(user: User, name: str, /, **arguments: Any) -> dict[str, Any]:
    result = call(lambda: user, name, arguments)
    assert not result.failed, result.body
    json.dumps(result.body)
    return result.body


def refused(user: User, name: str, /, **arguments: Any) -> dict[str, Any]:
    result: ToolResult = call(lambda: user, name, arguments)
    assert result.failed, result.body
    error: dict[str, Any] = result.body["error"]
    assert set(error) == {"code", "message", "hint", "details"}
    return error


class TestSearch:
    def test_passages_come_masked_with_their_place(self, alice: User, harbour: FileRecord) -> None:
        found = done(alice, "search", query="harbour master")
        hit = found["hits"][0]
        assert (hit["file"], hit["name"], found["mode"]) == (str(harbour.pk), "harbour.txt", "basic")
        assert hit["place"].startswith("line")
        assert "harbour master" in hit["text"]
        assert CARD not in json.dumps(found)

    def test_filters_narrow_and_the_limit_holds(self, alice: User, harbour: FileRecord, make_file: MakeFile) -> None:
        assert done(alice, "search", query="harbour", tags=["boats"])["hits"]
        assert done(alice, "search", query="harbour", files=[str(harbour.pk)], limit=1)["hits"]
        for narrow in (
            {"tags": ["cars"]},
            {"kinds": ["image"]},
            {"files": [str(uuid4())]},
            {"added_from": "2100-01-01T00:00:00Z"},
            {"added_before": "2000-01-01T00:00:00+01:00"},
        ):
            assert done(alice, "search", query="harbour", **narrow)["hits"] == []

    def test_a_mode_that_answers_cites(self, alice: User, harbour: FileRecord) -> None:
        found = done(alice, "search", query="Who keeps the register?", mode="deep")
        assert found["answer"]
        assert {number for one in found["answer"] for number in one["citations"]} == {
            one["number"] for one in found["citations"]
        }

    def test_private_questions_are_not_kept(self, alice: User, harbour: FileRecord) -> None:
        found = done(alice, "search", query="harbour master", mode="private")
        assert found["hits"]
        assert found["asked"] == []
        assert not SearchQuery.objects.exists()

    def test_uncensored_needs_its_permission_and_is_audited(self, alice: User, harbour: FileRecord) -> None:
        assert refused(alice, "search", query="pays", mode="uncensored")["code"] == "mode_not_allowed"
        assert "uncensored" not in takes(TOOLS["search"], alice)["properties"]["mode"]["enum"]
        alice.user_permissions.add(Permission.objects.get(codename="search_uncensored"))
        allowed = User.objects.get(pk=alice.pk)
        assert CARD in json.dumps(done(allowed, "search", query="pays", mode="uncensored"))
        assert SearchAudit.objects.count() == 1
        assert "uncensored" in takes(TOOLS["search"], allowed)["properties"]["mode"]["enum"]

    def test_a_mode_that_is_none_is_told_with_those_that_are(self, alice: User, db: None) -> None:
        error = refused(alice, "search", query="x", mode="psychic")
        assert error["code"] == "mode_unknown"
        assert "basic" in error["hint"]

    def test_nothing_is_found_of_anothers(self, bob: User, harbour: FileRecord, zebrafish: FileRecord) -> None:
        for narrow in ({}, {"files": [str(harbour.pk)]}, {"tags": ["boats"]}):
            found = done(bob, "search", query="harbour master register boats", **narrow)
            assert {hit["name"] for hit in found["hits"]} <= {"zebrafish.txt"}


class TestReadFile:
    def test_text_comes_masked_by_and_by(self, alice: User, harbour: FileRecord) -> None:
        FileSegment.objects.filter(file=harbour).delete()
        texts = ["a" * 400 + f" pays with {CARD} " + "b" * 400, "c" * 300, "d" * 10]
        for ordinal, text in enumerate(texts):
            FileSegment.objects.create(
                file=harbour, generation=harbour.generation, ordinal=ordinal, kind="text", text=text, place={"page": 2}
            )
        read, turns = "", 0
        start: str | None = "0"
        while start is not None:
            page = done(alice, "read_file", file=str(harbour.pk), start=start, limit=500)
            assert sum(len(part["text"]) for part in page["parts"]) <= 500
            assert all(part["place"] == "page 2" for part in page["parts"])
            read += "".join(part["text"] for part in page["parts"])
            start, turns = page["next"], turns + 1
        assert turns > 1
        assert read.startswith("a" * 400)
        assert read.endswith("b" * 400 + "c" * 300 + "d" * 10)
        assert not any(char.isdigit() for char in read), "nor half of the number"

    def test_many_small_segments_come_by_and_by_too(self, alice: User, harbour: FileRecord) -> None:
        FileSegment.objects.filter(file=harbour).delete()
        FileSegment.objects.bulk_create(
            FileSegment(file=harbour, generation=harbour.generation, ordinal=n, kind="text", text="x", place={})
            for n in range(450)
        )
        first = done(alice, "read_file", file=str(harbour.pk))
        assert (len(first["parts"]), first["next"]) == (200, "200")
        last = done(alice, "read_file", file=str(harbour.pk), start="400")
        assert (len(last["parts"]), last["next"]) == (50, None)

    def test_behind_the_end_there_is_nothing(self, alice: User, harbour: FileRecord) -> None:
        for start in ("999999999", "0:999999999"):
            page = done(alice, "read_file", file=str(harbour.pk), start=start)
            assert (page["parts"], page["next"]) == ([], None)

    def test_a_file_without_text_says_where_it_stands(self, alice: User, make_file: MakeFile) -> None:
        page = done(alice, "read_file", file=str(make_file(alice).pk))
        assert (page["status"], page["parts"], page["next"]) == ("queued", [], None)

    def test_anothers_and_trashed_files_are_unknown_ones(self, bob: User, alice: User, harbour: FileRecord) -> None:
        unknown = refused(bob, "read_file", file=str(uuid4()))
        assert refused(bob, "read_file", file=str(harbour.pk)) == unknown
        assert unknown["code"] == "not_found"
        file_services.delete(harbour)
        assert refused(alice, "read_file", file=str(harbour.pk)) == unknown


class TestListFiles:
    def test_files_come_page_by_page_newest_first(self, alice: User, make_file: MakeFile) -> None:
        for n in range(5):
            make_file(alice, f"text {n}".encode(), f"file {n}.txt")
        first = done(alice, "list_files", limit=2)
        assert (first["total"], first["next_page"]) == (5, 2)
        assert [file["name"] for file in first["files"]] == ["file 4.txt", "file 3.txt"]
        last = done(alice, "list_files", limit=2, page=3)
        assert ([file["name"] for file in last["files"]], last["next_page"]) == (["file 0.txt"], None)

    def test_it_is_narrowed(self, alice: User, harbour: FileRecord, make_file: MakeFile) -> None:
        make_file(alice, b"another", "other.txt")
        for narrow in ({"name": "harb"}, {"tag": "boats"}, {"status": ["ready", "partial"]}):
            assert [file["name"] for file in done(alice, "list_files", **narrow)["files"]] == ["harbour.txt"]
        assert done(alice, "list_files", kind="image")["total"] == 0

    def test_nothing_is_listed_of_anothers(self, bob: User, harbour: FileRecord) -> None:
        assert done(bob, "list_files")["total"] == 0
        assert done(bob, "list_files", tag="boats")["files"] == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("search", {}),
        ("search", {"query": ""}),
        ("search", {"query": "x" * 5000}),
        ("search", {"query": "a\x00b"}),
        ("search", {"query": "\ud800"}),
        ("search", {"query": ["x"]}),
        ("search", {"query": {"$ne": ""}}),
        ("search", {"query": "x", "limit": 0}),
        ("search", {"query": "x", "limit": 10**30}),
        ("search", {"query": "x", "limit": float("nan")}),
        ("search", {"query": "x", "owner": "root"}),
        ("search", {"query": "x", "files": ["../../etc/passwd"]}),
        ("search", {"query": "x", "files": [str(uuid4())] * 101}),
        ("search", {"query": "x", "tags": ["a\x00b"]}),
        ("search", {"query": "x", "added_from": "yesterday"}),
        ("search", {"query": "x", "added_from": "2026-01-01T00:00:00"}),
        ("read_file", {"file": "' OR 1=1 --"}),
        ("read_file", {"file": str(uuid4()), "start": "-1"}),
        ("read_file", {"file": str(uuid4()), "start": "1:2:3"}),
        ("read_file", {"file": str(uuid4()), "start": "٣"}),
        ("read_file", {"file": str(uuid4()), "start": "0\n"}),
        ("read_file", {"file": str(uuid4()), "limit": 10**9}),
        ("list_files", {"status": ["deleted"]}),
        ("list_files", {"page": 10**12}),
        ("list_files", {"name": "%\x00"}),
        ("list_files", {"x" * 100_000: 1}),
    ],
)
def test_arguments_that_are_none_are_told_and_not_repeated(alice: User, name: str, arguments: dict[str, Any]) -> None:
    error = refused(alice, name, **arguments)
    assert error["code"] == "invalid"
    assert error["details"]
    assert len(json.dumps(error)) < 2_000


def test_words_that_mean_something_to_sql_are_words(alice: User, harbour: FileRecord) -> None:
    for hostile in ("'; DROP TABLE files_filerecord; --", "100%_\\", "'\"><script>alert(1)</script>", "a & | ! ( :*"):
        done(alice, "search", query=hostile)
        assert done(alice, "list_files", name=hostile)["files"] == []


def test_a_user_who_is_gone_is_told(alice: User) -> None:
    from orchestra.accounts.selectors import user_for_command

    User.objects.filter(pk=alice.pk).update(is_active=False)
    result = call(lambda: user_for_command("alice"), "list_files", {})
    assert result.failed
    assert result.body["error"]["code"] == "user_not_found"


def _broken(error: Exception) -> Callable[..., Any]:
    def broken(*_: object) -> Any:
        raise error

    return broken


@pytest.mark.parametrize(
    ("error", "code"),
    [(OperationalError("password=hunter2"), "database_away"), (KeyError("hunter2"), "internal_error")],
)
def test_what_breaks_is_told_without_what_broke(
    alice: User, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    monkeypatch.setattr(tools, "files_of", _broken(error))
    said = refused(alice, "list_files")
    assert said["code"] == code
    assert "hunter2" not in json.dumps(said)


@pytest.mark.parametrize("name", TOOLS)
def test_schemas_are_closed_and_described(alice: User, name: str) -> None:
    schema = takes(TOOLS[name], alice)
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    assert all(one.get("description") for one in schema["properties"].values())
    assert gives(TOOLS[name])["type"] == "object"
