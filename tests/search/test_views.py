"""The search page, as the server makes it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from orchestra.accounts.models import User
from search import services
from search.ranking.highlighting import Snippet
from search.retrieval import Hit, ScoreParts, SearchResult
from search.templatetags.search_display import highlighted, hit_address

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(alice: User, client: Client) -> Client:
    """Alice's browser."""
    client.force_login(alice)
    return client


def a_hit(**more: Any) -> Hit:
    values: dict[str, Any] = {
        "chunk_id": uuid.uuid4(),
        "file_id": uuid.uuid4(),
        "file_name": "<b>report</b>.pdf",
        "media_type": "application/pdf",
        "kind": "document",
        "ordinal": 0,
        "text": "<i>wind</i> stops cranes",
        "place": {"page": 3, "headings": ["A & B"]},
        "snippet": Snippet("<i>wind</i> stops cranes", ((3, 7), (12, 17))),
        "score": 0.83,
        "parts": ScoreParts(0.61, 7.2, 2, 1),
    }
    return Hit(**{**values, **more})


def test_snippets_are_escaped_piece_by_piece() -> None:
    assert highlighted(Snippet("<i>wind</i> & rain", ((3, 7),))) == "&lt;i&gt;<mark>wind</mark>&lt;/i&gt; &amp; rain"


@pytest.mark.parametrize("spans", [((0, 3), (2, 5)), ((4, 4),), ((3, 1),), ((0, 99),)])
def test_odd_spans_lose_no_text(spans: tuple[tuple[int, int], ...]) -> None:
    html = highlighted(Snippet("a < b & c", spans))
    assert html.replace("<mark>", "").replace("</mark>", "") == "a &lt; b &amp; c"


def test_a_hit_leads_to_its_place() -> None:
    hit = a_hit()
    assert (
        hit_address(hit) == f"/files/{hit.file_id}?at=%7B%22page%22%3A3%2C%22headings%22%3A%5B%22A+%26+B%22%5D%7D#found"
    )
    assert hit_address(a_hit(place={})).endswith("#text")


def test_hits_are_shown_with_place_snippet_and_score(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    result = SearchResult("wind", "basic", (a_hit(), a_hit(parts=ScoreParts(0.1, 0.0, 1, None))), {"total": 12.4})
    monkeypatch.setattr(services, "search", lambda *_, **__: result)
    html = browser.get("/search", {"q": "wind"}).content.decode()
    assert "&lt;b&gt;report&lt;/b&gt;.pdf" in html
    assert "page 3, A &amp; B" in html
    assert "&lt;i&gt;<mark>wind</mark>&lt;/i&gt;" in html
    assert "none of the words occur" in html
    assert "2 best passages from 0 searchable files in 12 ms" in html


def test_without_a_question_there_is_a_box(browser: Client) -> None:
    html = browser.get("/search?q=%20").content.decode()
    assert "Ask in your own words" in html
    assert "You have no files yet." in html


def test_a_question_is_shown_back_escaped(browser: Client) -> None:
    html = browser.get("/search", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in html
    assert "Nothing found" in html
