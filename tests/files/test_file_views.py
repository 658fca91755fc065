"""The page of one file, as the server makes it: tabs, preview, the trash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from files import pipeline, services
from files.downloads import shown
from files.errors import FileNotFound
from files.models import FileRecord, FileSegment, ImportedItem
from files.previews import Preview, preview_of
from integrations.models import ExternalIntegration
from orchestra.accounts.models import User

pytestmark = pytest.mark.django_db

MakeFile = Callable[..., FileRecord]
TABS = ("", "/passages", "/metadata", "/timeline", "/origin")


@pytest.fixture
def read(alice: User, make_file: MakeFile) -> FileRecord:
    """A file that was read."""
    file = make_file(
        alice, b"# Harbour\n\nThe <b>master</b> keeps the register.\n\nCranes stop in strong wind.", "h.md"
    )
    assert pipeline.work("a worker")
    file.refresh_from_db()
    return file


def page(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def changed(file: FileRecord, **values: Any) -> FileRecord:
    FileRecord.objects.filter(pk=file.pk).update(**values)
    file.refresh_from_db()
    return file


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_has_an_address_and_is_marked(browser: Client, read: FileRecord, tab: str) -> None:
    html = page(browser, f"/files/{read.pk}{tab}")
    assert f'href="/files/{read.pk}{tab}" aria-current="page"' in html
    assert html.count("aria-current=") == 2  # and the place in the navigation


@pytest.mark.parametrize("tab", TABS)
def test_no_tab_of_others_is_there(bob: User, client: Client, read: FileRecord, tab: str) -> None:
    client.force_login(bob)
    assert client.get(f"/files/{read.pk}{tab}").status_code == 404


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_costs_a_fixed_number_of_queries(
    browser: Client, read: FileRecord, tab: str, django_assert_max_num_queries: Any
) -> None:
    page(browser, f"/files/{read.pk}{tab}")
    with django_assert_max_num_queries(12):
        page(browser, f"/files/{read.pk}{tab}")


@pytest.mark.parametrize("tab", TABS)
def test_a_file_that_waits_has_all_tabs(browser: Client, alice: User, make_file: MakeFile, tab: str) -> None:
    page(browser, f"/files/{make_file(alice).pk}{tab}")


def test_words_within_are_marked_and_escaped(browser: Client, read: FileRecord) -> None:
    html = page(browser, f"/files/{read.pk}?within=<B>MASTER</B>")
    assert "<mark>&lt;b&gt;master&lt;/b&gt;</mark>" in html
    assert "Cranes" not in html.split('id="panel"')[1].split("<aside")[0]
    assert "does not stand in this file" in page(browser, f"/files/{read.pk}?within=zeppelin")


def test_the_timeline_tells_stages_reader_and_attempts(browser: Client, read: FileRecord) -> None:
    html = page(browser, f"/files/{read.pk}/timeline")
    assert "after the one before" in html
    assert f"<dd>{read.reader}</dd>" in html
    assert "<dt>Attempts</dt><dd>1</dd>" in html


def test_the_origin_names_imports_and_what_is_inside(browser: Client, alice: User, read: FileRecord) -> None:
    connection = ExternalIntegration.objects.create(owner=alice, provider="notion", name="Our <wiki>")
    inside = [{"name": "a.txt", "depth": 1, "size": 3, "media_type": "text/plain", "read": True}, "odd", {"depth": 9}]
    changed(read, metadata={"children": inside})
    items = {"integration": connection, "origin": "https://wiki.example/page", "made": True}
    ImportedItem.objects.create(key="page", file=read, **items)
    html = page(browser, f"/files/{read.pk}/origin")
    assert "Our &lt;wiki&gt;" in html
    assert 'href="https://wiki.example/page" rel="noopener noreferrer"' in html
    assert "%7B%22part%22%3A%5B%22a.txt%22%5D%7D#found" in html


def test_a_file_in_the_trash_says_so_to_its_owner_alone(browser: Client, bob: User, read: FileRecord) -> None:
    services.delete(read)
    for tab in TABS:
        answer = browser.get(f"/files/{read.pk}{tab}")
        assert answer.status_code == 404
        assert b"This file is in the trash" in answer.content
        assert b"h.md" not in answer.content
    browser.force_login(bob)
    assert b"in the trash" not in browser.get(f"/files/{read.pk}").content


class TestPreviews:
    def test_a_text_is_shown_by_its_beginning(self, read: FileRecord) -> None:
        shown_text = preview_of(read)
        assert (shown_text.kind, shown_text.more) == ("text", False)
        assert shown_text.text.startswith("# Harbour")

    def test_a_table_is_shown_by_its_first_rows(self, read: FileRecord) -> None:
        FileSegment.objects.filter(file=read).delete()
        rows = "\n".join(f"| {n} | a \\| b |" for n in range(20))
        FileSegment.objects.create(
            file=read, generation=read.generation, ordinal=0, kind="table", text=f"| n | x |\n| --- | --- |\n{rows}"
        )
        table = preview_of(read)
        assert (table.kind, table.more, len(table.rows)) == ("table", True, 9)
        assert table.rows[:2] == (("n", "x"), ("0", "a | b"))

    @pytest.mark.parametrize(
        ("media_type", "kind"), [("image/png", "picture"), ("audio/mpeg", "sound"), ("video/webm", "film")]
    )
    def test_what_an_element_can_show_is_shown_by_it(self, read: FileRecord, media_type: str, kind: str) -> None:
        assert preview_of(changed(read, media_type=media_type)) == Preview(kind)

    @pytest.mark.parametrize("media_type", ["application/pdf", "image/svg+xml", "image/tiff"])
    def test_what_could_act_is_shown_by_its_thumbnail(self, read: FileRecord, media_type: str) -> None:
        assert preview_of(changed(read, media_type=media_type, has_thumbnail=True)) == Preview("thumbnail")

    def test_a_picture_too_large_for_a_page_is_not_sent(self, read: FileRecord) -> None:
        assert preview_of(changed(read, media_type="image/png", size=10**9, has_thumbnail=True)).kind == "thumbnail"


class TestBytesForAPage:
    @pytest.mark.parametrize("media_type", ["image/png", "video/mp4"])
    def test_they_come_inline_in_a_sandbox_and_never_sniffed(self, read: FileRecord, media_type: str) -> None:
        answer = shown(changed(read, media_type=media_type), "bytes=0-3")
        assert answer.status_code == 206
        assert answer["Content-Type"] == media_type
        assert answer["Content-Disposition"] == "inline"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"

    @pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/pdf", "text/plain", ""])
    def test_what_a_browser_could_run_is_not_there(self, browser: Client, read: FileRecord, media_type: str) -> None:
        changed(read, media_type=media_type)
        with pytest.raises(FileNotFound):
            shown(read, "")
        assert browser.get(f"/api/files/{read.pk}/preview").status_code == 404

    def test_a_range_beyond_the_end_stays_an_error(self, read: FileRecord) -> None:
        answer = shown(changed(read, media_type="image/png"), "bytes=99999-")
        assert (answer.status_code, answer["Content-Type"]) == (416, "application/json")
