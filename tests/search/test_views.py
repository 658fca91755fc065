"""The search page, as the server makes it."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from files import pipeline
from orchestra.accounts.models import User
from orchestra.common.outbound.ledger import Outbound
from search import services
from search.answering.answer import Answer, AnswerKind, Sentence
from search.models import SearchQuery
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
    assert "2 best files from 0 searchable files in 12 ms" in html


def test_without_a_question_there_is_a_box(browser: Client) -> None:
    html = browser.get("/search?q=%20").content.decode()
    assert "Ask in your own words" in html
    assert "You have no files yet." in html


def test_a_question_is_shown_back_escaped(browser: Client) -> None:
    html = browser.get("/search", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in html
    assert "Nothing found" in html


@pytest.fixture
def library(alice: User, make_file: Any) -> None:
    make_file(alice, b"The harbour master keeps the register of all tides since 1881.", "harbour.txt")
    while pipeline.work("test"):
        pass


def test_modes_can_be_chosen_with_a_line_on_each(browser: Client, library: None) -> None:
    html = browser.get("/search", {"q": "tides", "mode": "deep"}).content.decode()
    assert 'href="/search?q=tides&amp;mode=creative"' in html
    assert 'href="/search?mode=private"' in html, "the question goes into no address of the private page"
    assert "mode=uncensored" not in html, "alice may not"
    assert 'href="/search?q=tides&amp;mode=deep" aria-current="true"' in html


def test_an_answer_leads_to_its_place_and_the_ledger_is_shown(browser: Client, library: None) -> None:
    html = browser.get("/search", {"q": "harbour master", "mode": "deep"}).content.decode()
    assert 'class="cite" href="/files/' in html
    assert "#found" in html
    assert "Nothing left this machine." in html
    assert "1 step" in html


def test_what_left_the_machine_is_shown_and_what_is_not_supported_is_marked(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(
        AnswerKind.MODEL, (Sentence("<b>The moon</b> is cheese.", (), supported=False),), (), "a model", True
    )
    outbound = (Outbound("models.example.org", "answer", 1234, 567, 89.0),)
    result = SearchResult("wind", "deep", (a_hit(),), {"total": 1.0}, answer=answer, outbound=outbound)
    monkeypatch.setattr(services, "search", lambda *_, **__: result)
    html = browser.get("/search", {"q": "wind", "mode": "deep"}).content.decode()
    assert "&lt;b&gt;The moon&lt;/b&gt; is cheese." in html
    assert "not found in your files" in html
    assert "models.example.org, answer: 1.2" in html
    assert "Nothing left this machine" not in html


def test_a_private_question_is_posted_and_stands_in_no_address(browser: Client, library: None) -> None:
    page = browser.get("/search", {"mode": "private"}).content.decode()
    assert 'method="post"' in page
    response = browser.post("/search?mode=private", {"q": "zyzzyva tides", "mode": "private"})
    html = response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert "harbour.txt" in html
    assert not re.search(r'(href|action)="[^"]*zyzzyva', html)
    assert "zyzzyva" not in html[: html.index("<body")]
    assert not SearchQuery.objects.exists()


def test_a_private_question_in_an_address_is_not_asked(browser: Client, library: None) -> None:
    html = browser.get("/search", {"mode": "private", "q": "zyzzyva"}).content.decode()
    assert "zyzzyva" not in html


def test_the_page_streams_to_who_asks_for_events(browser: Client, library: None) -> None:
    events = {"Accept": "text/event-stream"}
    response: Any = browser.post("/search", {"q": "harbour master", "mode": "deep"}, headers=events)
    text = b"".join(response.streaming_content).decode()
    assert text.index("event: step") < text.index("event: answer") < text.index("event: result")
    assert '"address": "/search?q=harbour+master&mode=deep"' in text
    assert "harbour.txt" in text
    private: Any = browser.post("/search", {"q": "harbour master", "mode": "private"}, headers=events)
    assert '"address": null' in b"".join(private.streaming_content).decode()
    refused = browser.post("/search", {"q": "harbour", "mode": "uncensored"}, headers=events)
    assert refused.status_code == 403
    assert "You may not search in this mode." in refused.content.decode()
