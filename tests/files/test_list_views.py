"""The page of the list of files, without a script: filters, layouts, saved views, many files at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.test import Client

from files import saved_views
from files.errors import TooManyViews, ViewInvalid, ViewNameTaken, ViewNotFound
from files.forms import ListForm
from files.listing import Wanted
from files.models import FileRecord, FileStatus, SavedView
from files.selectors import files_of, trash_of
from orchestra.accounts.models import User

pytestmark = pytest.mark.django_db

MakeFile = Callable[..., FileRecord]


def page(browser: Client, path: str = "/files") -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def said(browser: Client, path: str, body: Mapping[str, object]) -> str:
    """Post a form and return the last message on the page that it leads to."""
    answer = browser.post(path, body, follow=True)
    assert answer.status_code == 200
    told: str = answer.content.decode().split('id="messages"')[1].split("</div>")[0]
    return told.rsplit("</p>", 1)[0].rsplit(">", 1)[1]


def form_of(query: str) -> ListForm:
    return ListForm(QueryDict(query))


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("1.5 MB", 1572864), ("1,5mb", 1572864), (" 2 k ", 2048), ("3 GB", 3 * 1024**3), ("9" * 19, 2**63 - 1)],
)
def test_sizes_are_written_as_people_do(text: str, size: int) -> None:
    form = form_of(f"size_min={text}")
    assert form.wanted() == Wanted(size_min=size)
    assert form_of(form.query).wanted() == form.wanted()


def test_a_saved_size_is_shown_in_its_unit() -> None:
    assert form_of("size_min=1572864")["size_min"].value() == "1.5 MB"
    assert form_of("size_min=1572865")["size_min"].value() == "1572865"


def test_what_cannot_be_read_is_said_and_does_not_narrow(browser: Client, alice: User, make_file: MakeFile) -> None:
    make_file(alice)
    html = page(browser, "/files?size_min=much&uploaded_from=yesterday&sort=x&kind=x&status=x&name=notes")
    assert "Write a size like 500 KB or 1.5 MB." in html
    assert "Enter a valid date." in html
    assert "notes.txt" in html
    assert form_of("size_min=much&status=x&name=notes").query == "name=notes"


def test_the_number_found_and_the_way_out_of_filters(browser: Client, alice: User, make_file: MakeFile) -> None:
    for number in range(3):
        make_file(alice, b"%d" % number, f"{number}.txt")
    assert "3 files</p>" in page(browser)
    assert '1 file matches · <a href="/files">Clear the filters</a>' in page(browser, "/files?name=2")
    nothing = page(browser, "/files?name=zeppelin")
    assert "0 files match" in nothing
    assert '<a href="/files">Clear the filters</a> to see all of them.' in nothing
    assert 'aria-label="Choose' not in nothing.split("<template")[0]


def test_more_than_the_bound_is_said_as_more(
    browser: Client, alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("files.list_views.COUNTED", 1)
    monkeypatch.setattr("files.listing.count_up_to.__defaults__", (1,))
    for number in range(3):
        make_file(alice, b"%d" % number, f"{number}.txt")
    for path in ("/files", "/files?name=txt", "/files?status=queued"):
        assert "More than 1 files" in page(browser, path)


def test_the_layout_is_remembered_and_stands_in_the_address(browser: Client, alice: User, make_file: MakeFile) -> None:
    file = make_file(alice)
    FileRecord.objects.filter(pk=file.pk).update(has_thumbnail=True)
    User.objects.filter(pk=alice.pk).update(preferences={"other": 1})
    assert 'data-layout="table"' in page(browser)
    answer = browser.post("/files/layout", {"layout": "grid", "query": "name=notes&nonsense=1"})
    assert answer["Location"] == "/files?name=notes&layout=grid"
    html = page(browser)
    assert 'data-layout="grid"' in html
    assert f'src="/api/files/{file.pk}/thumbnail?generation=0"' in html
    assert 'data-layout="table"' in page(browser, "/files?layout=table")
    alice.refresh_from_db()
    assert alice.preferences == {"other": 1, "file_layout": "grid"}
    assert browser.post("/files/layout", {"layout": "heap"}).status_code == 404
    odd_ones: list[object] = [[], "x", {"file_layout": ["grid"]}, {"file_layout": "heap"}]
    for odd in odd_ones:
        User.objects.filter(pk=alice.pk).update(preferences=odd)
        assert 'data-layout="table"' in page(browser)


def test_a_view_is_saved_shown_and_deleted(browser: Client, alice: User) -> None:
    query = "sort=name&status=failed&name=a%26b&page=7"
    assert said(browser, "/files/views", {"name": " <b>Broken ", "query": query}) == (
        "The view “&lt;b&gt;Broken” was saved."
    )
    view = saved_views.views_of(alice).get()
    assert view.query == "status=failed&name=a%26b&sort=name"
    FileRecord.objects.create(owner=alice, name="a&b", size=1, status=FileStatus.FAILED)
    html = page(browser)
    assert 'href="/files?status=failed&amp;name=a%26b&amp;sort=name">&lt;b&gt;Broken</a>' in html
    assert "Delete the view" not in html
    assert "Delete the view" in page(browser, f"/files?{view.query}")
    assert "was deleted. Its files are as they were." in said(browser, f"/files/views/{view.pk}/delete", {})
    assert files_of(alice).count() == 1
    assert not SavedView.objects.exists()


def test_views_have_names_of_their_own_and_a_bound(
    alice: User, bob: User, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_views.save(alice, "Mine", "name=a")
    saved_views.save(bob, "Mine", "name=b")
    with pytest.raises(ViewNameTaken):
        saved_views.save(alice, "Mine", "name=c")
    for wrong in (("", ""), ("x" * 61, ""), ("a\x00", ""), ("a", "name=" + "x" * 2001)):
        with pytest.raises(ViewInvalid):
            saved_views.save(alice, *wrong)
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 1)
    with pytest.raises(TooManyViews):
        saved_views.save(alice, "Another", "")
    assert "You have a view of this name already." in said(browser, "/files/views", {"name": "Mine"})


def test_anothers_view_answers_as_an_unknown_one(browser: Client, bob: User) -> None:
    view = saved_views.save(bob, "Of bob", "name=secret")
    assert "Of bob" not in page(browser)
    for one in (view.pk, uuid4()):
        assert browser.post(f"/files/views/{one}/delete").status_code == 404
    assert SavedView.objects.filter(pk=view.pk).exists()
    with pytest.raises(ViewNotFound):
        saved_views.delete(User.objects.get(username="alice"), view.pk)


@pytest.fixture
def three(alice: User, make_file: MakeFile) -> list[FileRecord]:
    return [make_file(alice, b"%d" % number, f"{number}.txt") for number in range(3)]


def test_chosen_files_are_tagged_and_the_filters_stay(browser: Client, alice: User, three: list[FileRecord]) -> None:
    body = {"file": [str(three[0].pk), str(three[1].pk)], "action": "add-tag", "with_tag": "yard", "query": "name=txt"}
    assert browser.post("/files/act", body)["Location"] == "/files?name=txt"
    assert sorted(files_of(alice).filter(tags=["yard"]).values_list("name", flat=True)) == ["0.txt", "1.txt"]
    assert said(browser, "/files/act", body) == (
        "No file was changed. 2 files are left as before: They have this tag already."
    )
    assert "no tag was named" in said(browser, "/files/act", {**body, "with_tag": " "})


def test_all_of_the_page_or_all_that_match_are_meant(browser: Client, alice: User, three: list[FileRecord]) -> None:
    body = {"shown": [str(three[0].pk)], "which": "page", "action": "cancel"}
    assert said(browser, "/files/act", body) == "1 file is cancelled."
    matching = {"which": "matching", "query": "status=queued", "action": "trash", "file": [str(three[0].pk)]}
    assert said(browser, "/files/act", matching) == "2 files are in the trash."
    assert trash_of(alice).count() == 2
    assert said(browser, "/files/act", {"which": "matching", "action": "retry"}) == "1 file is queued again."


def test_files_of_others_and_nonsense_are_no_files(
    browser: Client, alice: User, bob: User, three: list[FileRecord], make_file: MakeFile
) -> None:
    others = make_file(bob, b"of bob", "bob.txt")
    named = [str(others.pk), str(uuid4()), "nonsense", "", str(three[0].pk)]
    assert said(browser, "/files/act", {"file": named, "action": "trash"}) == (
        "1 file is in the trash. 2 files are not here any more."
    )
    browser.post("/files/act", {"which": "matching", "action": "trash"})
    others.refresh_from_db()
    assert others.trashed_at is None
    assert "no file was chosen" in said(browser, "/files/act", {"file": ["x"], "action": "trash"})
    assert browser.post("/files/act", {"which": "matching", "action": "shred"}).status_code == 404


def test_the_list_costs_a_fixed_number_of_queries(
    browser: Client, alice: User, make_file: MakeFile, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(15):
        make_file(alice, b"content %d" % number, f"{number}.txt", tags=(str(number),))
        saved_views.save(alice, str(number), f"name={number}")
    for path in ("/files", "/files?name=t&sort=name&tag=3&layout=grid", "/files?sort=state"):
        with django_assert_max_num_queries(14):  # type: ignore[attr-defined]  # a context manager
            page(browser, path)
