"""Searches are remembered: at once, or by a thread of the web process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestra.accounts.models import User
from search import history
from search.models import SearchQuery


def _query(user: User, text: str) -> SearchQuery:
    return SearchQuery(user=user, mode="basic", text=text, filters={"kinds": ["pdf"]}, timings={"total": 1.5})


@pytest.fixture
def later(transactional_db: None) -> Iterator[None]:
    """The thread of the web process."""
    history.later.start()
    yield
    history.later.stop()


def test_a_search_is_remembered_at_once(alice: User) -> None:
    history.remember(_query(alice, "pumps"))

    kept = SearchQuery.objects.get()
    assert (kept.user_id, kept.text, kept.filters, kept.timings) == (
        alice.pk,
        "pumps",
        {"kinds": ["pdf"]},
        {"total": 1.5},
    )


def test_the_web_process_writes_what_is_left_when_it_ends(later: None, alice: User) -> None:
    for number in range(450):
        history.remember(_query(alice, f"question {number}"))

    history.later.stop()

    assert SearchQuery.objects.filter(user=alice).count() == 450
    assert not history.later.runs


def test_a_user_who_is_gone_takes_nobodys_history(later: None, alice: User, bob: User) -> None:
    gone = bob.pk
    bob.delete()

    history.remember(_query(alice, "kept"))
    history.remember(SearchQuery(user_id=gone, mode="basic", text="nobody's"))
    history.remember(_query(alice, "kept too"))
    history.later.stop()

    assert {query.text for query in SearchQuery.objects.all()} == {"kept", "kept too"}
