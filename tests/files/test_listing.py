"""Filters, sorts and pages by key of the list of files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from files.listing import SORTS, Wanted, count_up_to, languages_of, matching, tags_of
from files.models import FileRecord, FileStatus
from files.selectors import files_of
from orchestra.accounts.models import User
from orchestra.common.keyed_pages import OrderedPage, page_in_order

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 5, 4, tzinfo=UTC)
# Few of each, so that keys are equal.
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "A", "b", "é", "日", "a b", "_"]),
        st.sampled_from([0, 1, 7, 2**40]),
        st.sampled_from(FileStatus.values),
        st.integers(0, 2),
    ),
    max_size=12,
)


def filled(owner: User, rows: list[tuple[str, int, str, int]]) -> None:
    FileRecord.objects.all().delete()
    files = FileRecord.objects.bulk_create(
        FileRecord(owner=owner, name=name, size=size, status=status) for name, size, status, _ in rows
    )
    for file, row in zip(files, rows, strict=True):
        file.created_at = DAY + timedelta(days=row[3])
    FileRecord.objects.bulk_update(files, ["created_at"])


def walked(owner: User, sort: str, size: int, *, backwards: bool) -> list[str]:
    """Return the ids on all pages, from the first to the last or back, in the order of the list."""
    files, order = files_of(owner), SORTS[sort]
    page: OrderedPage = page_in_order(files, order, size)
    assert not page.before
    seen = [str(row.pk) for row in page.rows]
    while page.after:
        page = page_in_order(files, order, size, after=page.after)
        assert len(page.rows) <= size
        seen += [str(row.pk) for row in page.rows]
    if backwards:
        seen = [str(row.pk) for row in page.rows]
        while page.before:
            before, page = page, page_in_order(files, order, size, before=page.before)
            fresh = [str(row.pk) for row in page.rows]
            # A first page is a whole one: it may show again what the page behind it has.
            seen = [one for one in fresh if one not in {str(row.pk) for row in before.rows}] + seen
    return seen


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, size=st.integers(1, 5))
@pytest.mark.parametrize("sort", SORTS)
def test_all_pages_together_have_each_file_once(
    alice: User, sort: str, rows: list[tuple[str, int, str, int]], size: int
) -> None:
    filled(alice, rows)
    every = [str(pk) for pk in SORTS[sort].sorted(files_of(alice)).values_list("pk", flat=True)]
    assert len(every) == len(rows)
    for backwards in (False, True):
        assert walked(alice, sort, size, backwards=backwards) == every


def test_each_sort_is_the_one_that_it_is_called(alice: User) -> None:
    filled(alice, [("b", 1, "ready", 0), ("A", 3, "failed", 2), ("c", 2, "processing", 1)])
    found = {sort: "".join(file.name for file in order.sorted(files_of(alice))) for sort, order in SORTS.items()}
    assert found == {
        "newest": "Acb",
        "oldest": "bcA",
        "name": "Abc",
        "largest": "Acb",
        "smallest": "bcA",
        "state": "cAb",
    }


@pytest.mark.parametrize("odd", ["", "x", "null", "W10", "WzEsMl0", "eyJhIjoxfQ", "=", "é", "A" * 5000, "WyJ4IiwieCJd"])
def test_what_is_no_mark_begins_at_the_start(alice: User, odd: str) -> None:
    filled(alice, [("a", 1, "ready", 0), ("b", 2, "ready", 1)])
    for order in SORTS.values():
        for marks in ({"after": odd}, {"before": odd}):
            page = page_in_order(files_of(alice), order, 1, **marks)
            assert (len(page.rows), page.before) == (1, "")


def test_behind_the_last_file_the_way_back_is_open(alice: User) -> None:
    filled(alice, [("a", 1, "ready", 0), ("b", 2, "ready", 1), ("c", 3, "ready", 2)])
    order = SORTS["name"]
    first = page_in_order(files_of(alice), order, 1)
    FileRecord.objects.exclude(name="a").delete()
    page = page_in_order(files_of(alice), order, 1, after=first.after)
    assert page.rows == []
    assert [file.name for file in page_in_order(files_of(alice), order, 1, before=page.before).rows] == ["a"]


@pytest.fixture
def shelf(alice: User) -> None:
    filled(
        alice,
        [("Harbour rules.pdf", 500, "ready", 0), ("crane.PDF", 2000, "failed", 1), ("notes 100%.txt", 10, "queued", 2)],
    )
    FileRecord.objects.filter(name="crane.PDF").update(kind="document", tags=["yard", "crane"], language="de")
    FileRecord.objects.filter(name="Harbour rules.pdf").update(kind="document", tags=["yard"], language="en")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), "Hcn"),
        (Wanted(status=("failed", "queued")), "cn"),
        (Wanted(kind="document"), "Hc"),
        (Wanted(tag="yard"), "Hc"),
        (Wanted(tag="yar"), ""),
        (Wanted(language="de"), "c"),
        (Wanted(name="PDF"), "Hc"),
        (Wanted(name="0%"), "n"),
        (Wanted(name="_"), ""),
        (Wanted(name="\x00crane"), "c"),
        (Wanted(uploaded_from=date(2026, 5, 5)), "cn"),
        (Wanted(uploaded_to=date(2026, 5, 5)), "Hc"),
        (Wanted(uploaded_from=date(2026, 5, 5), uploaded_to=date(2026, 5, 5)), "c"),
        (Wanted(uploaded_to=date.max, uploaded_from=date.min), "Hcn"),
        (Wanted(size_min=500), "Hc"),
        (Wanted(size_max=500), "Hn"),
        (Wanted(size_min=0, size_max=0), ""),
        (Wanted(name="crane", tag="crane", size_min=1000, status=("failed",)), "c"),
    ],
)
def test_filters_narrow_together(alice: User, shelf: None, wanted: Wanted, names: str) -> None:
    found = SORTS["oldest"].sorted(matching(files_of(alice), wanted))
    assert "".join(file.name[0] for file in found) == names


def test_the_api_has_the_same_filters_and_sorts(as_alice: APIClient, shelf: None) -> None:
    def names(query: str) -> list[str]:
        return [one["name"] for one in as_alice.get(f"/api/files?{query}").json()["results"]]

    assert names("sort=name&kind=document") == ["crane.PDF", "Harbour rules.pdf"]
    assert names("sort=largest") == ["crane.PDF", "Harbour rules.pdf", "notes 100%.txt"]
    assert names("language=de&uploaded_from=2026-05-05&uploaded_to=2026-05-05&size_min=1999&size_max=2000") == [
        "crane.PDF"
    ]
    for wrong in ("sort=x", "size_min=-1", "uploaded_to=yesterday", "size_max=99999999999999999999"):
        assert as_alice.get(f"/api/files?{wrong}").status_code == 400


def test_what_filters_offer_is_what_there_is_and_of_nobody_else(alice: User, bob: User, shelf: None) -> None:
    FileRecord.objects.create(owner=bob, name="b", size=1, tags=["of bob"], language="fr")
    assert tags_of(files_of(alice)) == ["crane", "yard"]
    assert languages_of(files_of(alice)) == ["de", "en"]


def test_counting_ends_at_the_bound(alice: User, shelf: None) -> None:
    assert [count_up_to(files_of(alice), most) for most in (1, 2, 3, 4)] == [2, 3, 3, 3]


def test_pages_of_the_list_are_linked(client: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(alice, [("abcde"[number], number, "ready", number % 3) for number in range(5)])
    monkeypatch.setattr("files.list_views.PAGE_SIZE", 2)
    client.force_login(alice)
    address: str | None = "/files?sort=name&name="
    seen = []
    follow: Callable[[str, str], str | None] = _link
    while address:
        html = client.get(address).content.decode()
        seen += [name for name in "abcde" if f'aria-label="Choose {name}"' in html]
        address = follow(html, "next")
    assert seen == list("abcde")
    assert 'aria-label="Choose c"' in client.get(str(follow(html, "prev"))).content.decode()


def _link(html: str, rel: str) -> str | None:
    if f'rel="{rel}"' not in html:
        return None
    return "/files" + html.split(f'rel="{rel}" href="')[1].split('"', maxsplit=1)[0].replace("&amp;", "&")
