"""Why a file is not among the hits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from files import pipeline, services
from files.errors import FileNotFound
from files.models import FileRecord, FileStatus
from orchestra.accounts.models import User
from search.absence import why_absent
from search.retrieval import Scope

MakeFile = Callable[..., FileRecord]


@pytest.fixture
def shelf(alice: User, make_file: MakeFile) -> dict[str, FileRecord]:
    """A dozen files on bridges, one on tea, one without text."""
    texts = {f"bridge{n}.txt": f"Bridge number {n} crosses the river on {n + 2} pillars." for n in range(12)}
    texts |= {"tea.txt": "Green tea is steeped at eighty degrees.", "empty.txt": " "}
    files = {name: make_file(alice, text.encode(), name) for name, text in texts.items()}
    while pipeline.work("test"):
        pass
    for file in files.values():
        file.refresh_from_db()
    return files


def test_an_outranked_file_is_told_its_place(alice: User, shelf: dict[str, FileRecord]) -> None:
    absence = why_absent(alice, "bridge river pillars", shelf["tea.txt"].pk, limit=10)
    assert (absence.code, absence.rank) == ("outranked", 13)
    assert absence.details["keyword"] == 0
    assert "place 13 of 13" in absence.message
    assert "none of the question's words" in absence.message


def test_a_file_that_is_there_is_said_to_be(alice: User, shelf: dict[str, FileRecord]) -> None:
    absence = why_absent(alice, "green tea", shelf["tea.txt"].pk)
    assert (absence.code, absence.rank) == ("present", 1)


def test_each_filter_that_leaves_it_out_is_named(alice: User, shelf: dict[str, FileRecord]) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    scope = Scope(alice.pk, kinds=("audio",), tags=("kitchen",), added_from=tomorrow)
    absence = why_absent(alice, "tea", shelf["tea.txt"].pk, scope=scope)
    assert absence.code == "filtered"
    assert absence.details == {"filters": ["kinds", "tags", "added_from"]}
    services.update(shelf["tea.txt"], tags=["kitchen"])
    assert why_absent(alice, "tea", shelf["tea.txt"].pk, scope=Scope(alice.pk, tags=("kitchen",))).code == "present"


def test_signs_of_the_question_rule_a_file_out(alice: User, shelf: dict[str, FileRecord]) -> None:
    assert why_absent(alice, "degrees -tea", shelf["tea.txt"].pk).code == "ruled_out"
    assert why_absent(alice, '"number 3 crosses" tea', shelf["tea.txt"].pk).code == "ruled_out"


def test_what_was_not_read_says_where_it_stands(alice: User, make_file: MakeFile, shelf: dict[str, FileRecord]) -> None:
    waiting = make_file(alice, b"later", "later.txt")
    said = "It is not read yet: Waiting. No worker is running; it is read as soon as one is."
    assert why_absent(alice, "later", waiting.pk).message == said
    services.cancel(waiting)
    assert why_absent(alice, "later", waiting.pk).code == "cancelled"
    FileRecord.objects.filter(pk=waiting.pk).update(status=FileStatus.FAILED, error_message="It is damaged.")
    absence = why_absent(alice, "anything", waiting.pk)
    assert (absence.code, absence.message) == ("failed", "It could not be read: It is damaged.")


def test_a_file_without_text_is_said_to_have_none(alice: User, shelf: dict[str, FileRecord]) -> None:
    file = shelf["empty.txt"]
    assert why_absent(alice, "tea", file.pk).code in ("no_text", "failed")


def test_anothers_file_is_unknown(bob: User, shelf: dict[str, FileRecord]) -> None:
    with pytest.raises(FileNotFound):
        why_absent(bob, "tea", shelf["tea.txt"].pk)


def test_the_api_explains(as_alice: APIClient, as_bob: APIClient, shelf: dict[str, FileRecord]) -> None:
    body = {"query": "bridge", "file": str(shelf["tea.txt"].pk), "limit": 3}
    answer = as_alice.post("/api/search/absence", body).json()
    assert (answer["code"], answer["file_name"]) == ("outranked", "tea.txt")
    assert as_bob.post("/api/search/absence", body).status_code == 404
    assert as_alice.post("/api/search/absence", {"query": "x", "file": str(uuid4())}).status_code == 404


def test_the_page_explains_by_a_part_of_the_name(alice: User, client: Client, shelf: dict[str, FileRecord]) -> None:
    client.force_login(alice)
    page = client.get("/search", {"q": "bridge river pillars", "missing": "TEA"}).content.decode()
    assert "Other passages answer better" in page
    page = client.get("/search", {"q": "bridge", "missing": "<b>nope"}).content.decode()
    assert "You have no file with" in page
    assert "&lt;b&gt;nope" in page
