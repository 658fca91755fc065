"""The home page, as the server makes it, and what it reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from files import pipeline, sample_files, states
from files.models import FileRecord, FileStatus
from files.selectors import files_of
from orchestra.accounts.models import User
from search import services
from search.home import home_of
from search.models import SearchQuery

pytestmark = pytest.mark.django_db

MakeFile = Callable[..., FileRecord]


def page(browser: Client, path: str = "/") -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def fail(file: FileRecord, message: str) -> None:
    states.move(file.pk, FileStatus.PROCESSING, "processing", "It is being read.")
    states.move(file.pk, FileStatus.FAILED, "failed", message, error_message=message)


def test_an_old_address_of_the_file_list_leads_to_it(browser: Client) -> None:
    assert browser.get("/?status=failed&page=2")["Location"] == "/files?status=failed&page=2"
    assert browser.get("/?utm_source=mail").status_code == 200


def test_who_has_no_files_gets_three_steps_and_the_samples(browser: Client, alice: User) -> None:
    assert "Try it with a sample set" in page(browser)
    for _ in range(2):  # a second click adds nothing
        assert browser.post("/home/samples")["Location"] == "/"
    assert files_of(alice).filter(tags=[sample_files.TAG]).count() == 5
    html = page(browser)
    assert "The sample files are here already." in html
    assert "Try it with a sample set" not in html


def test_each_question_about_the_samples_finds_one_of_them(browser: Client, alice: User) -> None:
    browser.post("/home/samples")
    while pipeline.work("a worker"):
        pass
    assert home_of(alice).searchable == 5
    for question in sample_files.QUESTIONS:
        assert question in page(browser)
        assert services.search(alice, question).hits, question


def test_failures_are_told_by_their_reason_and_read_again_together(
    browser: Client, alice: User, bob: User, make_file: MakeFile
) -> None:
    for number in range(3):
        fail(make_file(alice, b"%d" % number, f"{number}.pdf"), "The file is cut off.")
    fail(make_file(alice, b"locked", "locked.pdf"), "A password is needed <b>.")
    others = make_file(bob, b"of bob", "bob.pdf")
    fail(others, "The file is cut off.")
    html = page(browser)
    assert "4 files could not be read" in html
    assert "A password is needed &lt;b&gt;." in html
    assert next((one.message, one.files) for one in home_of(alice).reasons) == ("The file is cut off.", 3)
    browser.post("/home/retry-failed")
    assert files_of(alice).filter(status=FileStatus.QUEUED).count() == 4
    others.refresh_from_db()
    assert others.status == FileStatus.FAILED


def test_what_is_read_now_stands_before_what_waits(alice: User, make_file: MakeFile) -> None:
    files = [make_file(alice, b"%d" % number, f"{number}.txt") for number in range(9)]
    states.move(files[4].pk, FileStatus.PROCESSING, "processing", "It is being read.")
    home = home_of(alice)
    assert [row.name for row in home.under_way] == ["4.txt", "0.txt", "1.txt", "2.txt", "3.txt", "5.txt"]
    assert home.not_shown == 3
    assert home.recent == ()


def test_recent_searches_are_told_once_each_and_never_private_ones(
    browser: Client, alice: User, bob: User, make_file: MakeFile
) -> None:
    make_file(alice, b"The harbour master keeps the register.")
    assert pipeline.work("a worker")
    for question in ("harbour <register>", "crane", "harbour <register>"):
        services.search(alice, question)
    services.search(alice, "my secret", mode="private")
    services.search(bob, "of bob")
    assert [one.text for one in home_of(alice).searches] == ["harbour <register>", "crane"]
    html = page(browser)
    assert '/search?q=harbour+%3Cregister%3E&amp;mode=basic"' in html
    assert "my secret" not in html
    assert "of bob" not in html


def test_the_number_of_queries_does_not_grow_with_files(browser: Client, alice: User, make_file: MakeFile) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            page(browser)
        return len(seen)

    for number in range(3):
        make_file(alice, b"%d" % number, f"{number}.txt")
    page(browser)  # what is read once per process
    few = queries()
    for number in range(3, 20):
        make_file(alice, b"%d" % number, f"{number}.txt")
        SearchQuery.objects.create(user=alice, mode="basic", text=f"question {number}")
    assert queries() <= few
    assert few <= 13


def test_a_file_that_moves_on_while_the_page_is_made_is_on_it_once(alice: User, make_file: MakeFile) -> None:
    """Whatever a worker does between two statements: the lists must not come from two states of the file."""
    file = make_file(alice)
    ways = [FileStatus.PROCESSING, FileStatus.READY, FileStatus.QUEUED]
    moved = 0

    def then_move(execute: Callable[..., object], sql: str, *rest: object) -> object:
        nonlocal moved
        result = execute(sql, *rest)
        if 'FROM "files_filerecord"' in sql and sql.startswith(("SELECT", "(SELECT")):
            with connection.cursor() as cursor:
                cursor.execute("UPDATE files_filerecord SET status = %s", [ways[moved % len(ways)]])
            moved += 1
        return result

    for start in range(len(ways)):
        moved = start
        with connection.execute_wrapper(then_move):
            home = home_of(alice)
        assert [row.id for row in (*home.under_way, *home.recent)] == [str(file.pk)]
    assert moved > len(ways)


def test_an_unknown_action_is_not_found(browser: Client) -> None:
    assert browser.post("/home/format-the-disk").status_code == 404
