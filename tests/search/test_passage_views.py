"""The tab of a file's passages and the page of what is similar, as the server makes them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from search.file_passages import PAGE_SIZE, page_of
from search.models import SearchQuery, VectorChunk

pytestmark = pytest.mark.django_db

MakeFile = Callable[..., FileRecord]


@pytest.fixture
def long(alice: User, make_file: MakeFile) -> FileRecord:
    """A file of more than two pages of passages."""
    sections = (f"# Berth {n}\n\nThe crane at <b>berth</b> {n} stops in wind. " + f"Rope {n}. " * 90 for n in range(50))
    file = make_file(alice, "\n\n".join(sections).encode(), "long.md")
    assert pipeline.work("a worker")
    file.refresh_from_db()
    assert file.chunk_count > 2 * PAGE_SIZE
    return file


def chunk_of(file: FileRecord, ordinal: int = 0) -> VectorChunk:
    return VectorChunk.objects.get(file=file, ordinal=ordinal)


def test_pages_by_key_hold_every_passage_once(long: FileRecord) -> None:
    seen: list[int] = []
    first: int | None = 0
    while first is not None:
        page = page_of(long, first)
        seen += [chunk.ordinal for chunk in page.passages]
        assert page.before == (first - PAGE_SIZE if first else None)
        first = page.after
    assert seen == list(range(long.chunk_count))
    assert page_of(long, 10**6).passages == ()


def test_a_passage_shows_its_place_and_tokens_escaped(browser: Client, long: FileRecord) -> None:
    html = browser.get(f"/files/{long.pk}/passages").content.decode()
    assert "&lt;b&gt;berth&lt;/b&gt;" in html
    assert f"{chunk_of(long).token_count} tokens" in html
    assert f"?from={PAGE_SIZE}" in html


def test_one_is_disabled_and_enabled_by_buttons(browser: Client, long: FileRecord) -> None:
    chunk = chunk_of(long, PAGE_SIZE + 3)
    for action, word in (("disable", "Enable"), ("enable", "Disable")):
        answer = browser.post(f"/files/{long.pk}/passages/{chunk.pk}/{action}")
        assert answer["Location"] == f"/files/{long.pk}/passages?from={PAGE_SIZE}#passage-{chunk.ordinal}"
        chunk.refresh_from_db()
        assert chunk.disabled is (action == "disable")
        html = browser.get(answer["Location"]).content.decode()
        passage = html.split(f'id="passage-{chunk.ordinal}"')[1].split("</li>")[0]
        assert f">{word}<" in passage
    assert browser.post(f"/files/{long.pk}/passages/{chunk.pk}/burn").status_code == 404


def test_what_was_replaced_meanwhile_is_said(browser: Client, long: FileRecord) -> None:
    answer = browser.post(f"/files/{long.pk}/passages/{uuid4()}/disable", follow=True)
    assert b"There is no such passage." in answer.content


def test_those_of_others_are_not_there(bob: User, client: Client, long: FileRecord) -> None:
    client.force_login(bob)
    chunk = chunk_of(long)
    assert client.post(f"/files/{long.pk}/passages/{chunk.pk}/disable").status_code == 404
    assert client.get(f"/files/{long.pk}/passages/{chunk.pk}/similar").status_code == 404
    assert not chunk_of(long).disabled


def test_similar_passages_come_from_own_files_alone_without_itself(
    browser: Client, alice: User, bob: User, make_file: MakeFile, long: FileRecord
) -> None:
    make_file(alice, b"The crane at berth 1 stops in wind.", "near.txt")
    make_file(bob, b"The crane at berth 1 stops in wind, says Bob.", "of-bob.txt")
    while pipeline.work("a worker"):
        pass
    chunk = chunk_of(long, 1)
    html = browser.get(f"/files/{long.pk}/passages/{chunk.pk}/similar").content.decode()
    assert html.count('class="hit"') == 10
    assert "of-bob.txt" not in html
    assert not SearchQuery.objects.exists()


def test_a_disabled_passage_is_said_to_have_nothing_to_compare(browser: Client, long: FileRecord) -> None:
    chunk = chunk_of(long)
    browser.post(f"/files/{long.pk}/passages/{chunk.pk}/disable")
    html = browser.get(f"/files/{long.pk}/passages/{chunk.pk}/similar").content.decode()
    assert "This passage cannot be compared" in html
    other = browser.get(f"/files/{long.pk}/passages/{chunk_of(long, 1).pk}/similar").content.decode()
    assert f'passage-{chunk.ordinal}"' not in other


def test_the_tab_costs_a_fixed_number_of_queries(
    browser: Client, long: FileRecord, django_assert_max_num_queries: Callable[..., object]
) -> None:
    browser.get(f"/files/{long.pk}/passages")
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]  # a context manager
        browser.get(f"/files/{long.pk}/passages")
