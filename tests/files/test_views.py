"""The pages of files, as the server makes them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from files import states
from files.models import FileRecord, FileSegment, FileStatus
from files.selectors import files_of
from orchestra.accounts.models import User
from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessRole

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)<script>.txt"
MakeFile = Callable[..., FileRecord]


def page(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def with_segments(file: FileRecord, places: list[dict[str, object]]) -> FileRecord:
    for ordinal, place in enumerate(places):
        FileSegment.objects.create(
            file=file, generation=1, ordinal=ordinal, kind="paragraph", text=f"Text {ordinal}.", place=place
        )
    FileRecord.objects.filter(pk=file.pk).update(generation=1, segment_count=len(places))
    file.refresh_from_db()
    return file


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    answer = client.get("/files?status=failed")
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in?next=/files%3Fstatus%3Dfailed"


def test_an_empty_list_says_what_to_do(browser: Client) -> None:
    html = page(browser, "/files")
    assert "No files yet" in html
    assert "Drop files or folders here" in html


def test_the_list_shows_places_in_the_queue(browser: Client, alice: User, make_file: MakeFile) -> None:
    make_file(alice, b"first", "first.txt")
    make_file(alice, b"second", "second.txt")
    assert "No worker is running; it is read as soon as one is." in page(browser, "/files")
    pulses.show(pulses.Sign("celery@here", ProcessRole.WORKER, pid=1, slots=2))
    html = page(browser, "/files")
    assert "Next in line." in html
    assert "Waiting behind 1 file." in html
    assert "<strong>0</strong> of <strong>2</strong> searchable" in html


def test_names_from_users_are_escaped(browser: Client, alice: User, make_file: MakeFile) -> None:
    file = make_file(alice, b"x", HOSTILE)
    for html in (page(browser, "/files"), page(browser, f"/files/{file.pk}")):
        assert "alert(1)" in html
        assert "<script>alert" not in html


def test_no_page_has_inline_scripts_or_styles(browser: Client, alice: User, make_file: MakeFile) -> None:
    file = make_file(alice)
    for path in ("/", "/files", f"/files/{file.pk}", "/search", "/account", "/account/password"):
        html = page(browser, path)
        assert "<style" not in html
        assert " style=" not in html
        assert " onclick=" not in html
        assert all("src=" in tag or "json" in tag for tag in html.split("<script")[1:])


def test_others_files_are_not_there(browser: Client, bob: User, make_file: MakeFile) -> None:
    file = make_file(bob, b"secret", "of-bob.txt")
    assert "of-bob.txt" not in page(browser, "/files")
    assert browser.get(f"/files/{file.pk}").status_code == 404
    for action in ("retry", "cancel", "delete"):
        assert browser.post(f"/files/{file.pk}/{action}").status_code == 404
    assert FileRecord.objects.filter(pk=file.pk, status=FileStatus.QUEUED).exists()


def test_filters_narrow_and_keep_each_other(browser: Client, alice: User, make_file: MakeFile) -> None:
    make_file(alice, b"one", "alpha.txt")
    states.move(make_file(alice, b"two", "beta.txt").pk, FileStatus.CANCELLED, "cancelled", "Cancelled.")
    html = page(browser, "/files?status=cancelled")
    assert "beta.txt" in html
    assert "alpha.txt" not in html
    assert '<input type="hidden" name="status" value="cancelled">' in html
    assert "alpha.txt" in page(browser, "/files?name=ALPHA")
    assert "No file matches this filter." in page(browser, "/files?name=gamma")
    assert page(browser, "/files?status=nonsense&page=999&kind=%00&name=%00")


def test_a_failure_shows_sentence_and_hint(browser: Client, alice: User, make_file: MakeFile) -> None:
    file = make_file(alice)
    states.move(file.pk, FileStatus.PROCESSING, "started", "Began.")
    failure = {"error_code": "x", "error_message": "It is <b>broken</b>.", "error_hint": "Repair it."}
    states.move(file.pk, FileStatus.FAILED, "x", "Failed.", **failure)
    for html in (page(browser, "/files"), page(browser, f"/files/{file.pk}")):
        assert "It is &lt;b&gt;broken&lt;/b&gt;." in html
        assert "Repair it." in html


def test_a_place_opens_its_page_of_the_text_and_is_marked(browser: Client, alice: User, make_file: MakeFile) -> None:
    file = with_segments(make_file(alice), [{"page": n // 2 + 1} for n in range(120)])
    html = page(browser, f"/files/{file.pk}?at=" + json.dumps({"page": 41}))
    assert "51–100 of 120 parts" in html  # the page's dash
    found = html.split('id="found"')[1].split("</li>")[0]
    assert "Text 80." in found


def test_all_lines_of_a_passage_are_marked(browser: Client, alice: User, make_file: MakeFile) -> None:
    file = with_segments(make_file(alice), [{"line": n} for n in (1, 3, 5, 7)])
    html = page(browser, f"/files/{file.pk}?at=" + json.dumps({"line": 3, "line_end": 5}))
    assert html.count("data-found") == 2


@pytest.mark.parametrize(
    "at", ["", "nonsense", "[1]", '{"page":NaN}', '{"x":"\\u0000"}', '{"x":"\\ud800"}', "[" * 5000, '{"page":99}']
)
def test_a_broken_place_opens_the_file_from_its_start(
    browser: Client, alice: User, make_file: MakeFile, at: str
) -> None:
    file = with_segments(make_file(alice), [{"page": 1}])
    answer = browser.get(f"/files/{file.pk}", {"at": at})
    assert answer.status_code == 200
    assert b"data-found" not in answer.content


def test_actions_work_without_a_script(browser: Client, alice: User, make_file: MakeFile) -> None:
    file = make_file(alice)
    assert browser.post(f"/files/{file.pk}/cancel").status_code == 302
    file.refresh_from_db()
    assert file.status == FileStatus.CANCELLED
    browser.post(f"/files/{file.pk}/retry")
    file.refresh_from_db()
    assert file.status == FileStatus.QUEUED
    assert browser.get(f"/files/{file.pk}/delete").status_code == 405
    assert browser.post(f"/files/{file.pk}/delete")["Location"] == "/files"
    assert not files_of(alice).exists()
    assert browser.post(f"/files/{file.pk}/explode").status_code == 404


def test_one_list_costs_a_fixed_number_of_queries(
    browser: Client, alice: User, make_file: MakeFile, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(12):
        make_file(alice, b"content %d" % number, f"{number}.txt")
    with django_assert_max_num_queries(14):  # type: ignore[attr-defined]  # a context manager
        page(browser, "/files")
