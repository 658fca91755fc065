"""Pages of a list by key."""

from __future__ import annotations

import pytest

from files.models import ImportAction, ImportEntry, ImportRun
from integrations import services
from orchestra.accounts.models import User
from orchestra.common.keyed_pages import page_by_key


@pytest.fixture
def names(alice: User) -> list[str]:
    connection = services.connect(alice, "notion", "Pages", {"token": "ntn_1"})
    run = ImportRun.objects.create(integration=connection)
    found = [str(number) for number in range(5)]
    for name in found:
        ImportEntry.objects.create(run=run, action=ImportAction.ADDED, name=name)
    return found


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("size", [1, 2, 4, 5, 6])
def test_every_row_is_on_one_page(names: list[str], size: int, newest_first: bool) -> None:
    seen, pages = [], 0
    after: int | None = -1  # which is no key: the start
    while after is not None:
        page = page_by_key(ImportEntry.objects.all(), str(after), size, newest_first=newest_first)
        assert page.is_first is (pages == 0)
        assert len(page.rows) <= size
        seen += [row.name for row in page.rows]
        after, pages = page.after, pages + 1
    assert seen == (names[::-1] if newest_first else names)
    assert pages == -(-len(names) // size)


@pytest.mark.parametrize("odd", ["", "x", "-1", "1e3", "9" * 30, "\x00", "\u0967"])
def test_what_is_no_key_begins_at_the_start(names: list[str], odd: str) -> None:
    page = page_by_key(ImportEntry.objects.all(), odd, 2)
    assert [row.name for row in page.rows] == names[:2]
    assert page.is_first
