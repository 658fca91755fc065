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
from personas import services as personas
from personas.models import Persona
from search import conversations, services
from search.answering.answer import Answer, AnswerKind, Sentence
from search.conversations import NewTurn
from search.models import Conversation, SearchQuery, Turn
from search.ranking.highlighting import Snippet
from search.retrieval import Hit, ScoreParts, SearchResult
from search.templatetags.search_display import highlighted, hit_address

pytestmark = pytest.mark.django_db


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


def hidden(html: str, name: str) -> str:
    """Return the value of a hidden field of the follow-up form."""
    form = html[html.index('id="follow-up"') :]
    found = re.search(rf'name="{name}" value="([^"]*)"', form)
    assert found is not None
    return found[1]


def test_a_follow_up_begins_a_conversation_and_the_next_continues_it(browser: Client, library: None) -> None:
    first = browser.get("/search", {"q": "Who is the harbour master?", "mode": "deep"}).content.decode()
    assert not Conversation.objects.exists(), "a question alone is no conversation"
    second = browser.post("/search", {"q": "And since when?", "mode": "deep", "begun": hidden(first, "begun")})
    html = second.content.decode()
    conversation = Conversation.objects.get()
    assert [turn.question for turn in conversation.turns.all()] == ["Who is the harbour master?", "And since when?"]
    assert html.count("keeps the register of all tides") >= 2, "the answer before is shown as well"
    assert "Understood by what was asked before" in html
    assert hidden(html, "conversation") == str(conversation.pk)
    events = {"Accept": "text/event-stream"}
    body = {"q": "Which tides?", "mode": "deep", "conversation": str(conversation.pk)}
    third: Any = browser.post("/search", body, headers=events)
    text = b"".join(third.streaming_content).decode()
    assert f'"address": "/search?conversation={conversation.pk}&mode=deep"' in text
    assert conversation.turns.count() == 3
    page = browser.get("/search", {"conversation": str(conversation.pk)}).content.decode()
    assert page.index("Who is the harbour master?") < page.index("And since when?") < page.index("Which tides?")
    assert conversation.turns.count() == 3, "looking at it asks nothing"
    assert "Who is the harbour master?" in browser.get("/search").content.decode()


def test_a_private_page_neither_shows_nor_keeps_a_conversation(browser: Client, alice: User, library: None) -> None:
    conversation = conversations.begin(alice, NewTurn("An earlier question", "basic"))
    assert conversation is not None
    body = {"q": "harbour master", "mode": "private", "conversation": str(conversation.pk), "begun": "x"}
    html = browser.post("/search?mode=private", body).content.decode()
    assert "harbour.txt" in html
    assert 'id="follow-up"' not in html
    assert Turn.objects.count() == 1


@pytest.mark.parametrize("named", ["0193a1b2-0000-7000-8000-000000000000", "x", "new"])
def test_an_unknown_conversation_is_said(browser: Client, named: str, library: None) -> None:
    assert browser.get("/search", {"conversation": named}).status_code == 404
    for headers in ({}, {"Accept": "text/event-stream"}):
        answer = browser.post("/search", {"q": "harbour", "mode": "deep", "conversation": named}, headers=headers)
        assert answer.status_code == 404
        assert "There is no such conversation." in answer.content.decode()
    assert not Conversation.objects.exists()


def test_conversations_are_deleted_in_the_page(browser: Client, alice: User, bob: User) -> None:
    mine = [conversations.begin(alice, NewTurn(f"Question {n}", "basic")) for n in range(3)]
    other = conversations.begin(bob, NewTurn("Bob's", "basic"))
    assert mine[0] is not None
    assert other is not None
    assert browser.post(f"/conversations/{other.pk}/delete").status_code == 404
    page = browser.post(f"/conversations/{mine[0].pk}/delete", follow=True).content.decode()
    assert "The conversation was deleted." in page
    assert "2 conversations deleted." in browser.post("/conversations/delete", follow=True).content.decode()
    assert list(Conversation.objects.all()) == [other]


@pytest.fixture
def tagged(alice: User, make_file: Any) -> None:
    make_file(alice, b"The keeper of the lighthouse works by night.", "work.txt", tags=("work",))
    make_file(alice, b"The lighthouse on the shelf is a toy.", "home.md", tags=("home",))
    while pipeline.work("test"):
        pass


def chosen(html: str) -> str:
    """Return what the choice of a persona stands on."""
    found = re.search(r'<option value="([^"]*)" selected', html)
    assert found is not None
    return found[1]


def test_the_default_persona_is_chosen_and_can_be_turned_off(browser: Client, alice: User, tagged: None) -> None:
    default = personas.create(alice, {"name": "At work", "tags": ["work"], "mode": "deep"})
    other = personas.create(alice, {"name": "At home", "tags": ["home"]})
    assert chosen(browser.get("/search").content.decode()) == ""
    personas.make_default(alice, default)
    html = browser.get("/search", {"q": "lighthouse"}).content.decode()
    assert chosen(html) == str(default.pk)
    assert "At work (your default)" in html
    assert "mode=deep&amp;persona=" in html
    assert 'aria-current="true" data-mode="deep"' in html, "its mode, where none is named"
    assert ("work.txt" in html, "home.md" in html) == (True, False)
    off = browser.get("/search", {"q": "lighthouse", "persona": "none"}).content.decode()
    assert (chosen(off), "home.md" in off, "persona=none" in off) == ("none", True, True)
    assert 'aria-current="true" data-mode="basic"' in off
    changed = browser.get("/search", {"q": "lighthouse", "persona": str(other.pk), "mode": "basic"}).content.decode()
    assert (chosen(changed), "home.md" in changed, "work.txt" in changed) == (str(other.pk), True, False)


def test_anothers_persona_is_an_unknown_one_and_nothing_is_searched(browser: Client, bob: User, tagged: None) -> None:
    Persona.objects.all().delete()
    hers = personas.create(bob, {"name": "Canary"})
    pages = []
    for named in (str(hers.pk), str(uuid.uuid4()), "x"):
        page = browser.get("/search", {"q": "lighthouse", "persona": named}).content.decode()
        assert "There is no such persona." in page
        assert "Canary" not in page
        assert "work.txt" not in page
        pages.append(re.sub(r'(csrfmiddlewaretoken" value)="[^"]*"', "", page))
    assert len(set(pages)) == 1
    body, headers = {"q": "x", "mode": "deep", "persona": "x"}, {"Accept": "text/event-stream"}
    assert not browser.post("/search", body, headers=headers).streaming


def test_filters_narrow_and_stay_in_the_address(browser: Client, tagged: None) -> None:
    asked: dict[str, Any] = {
        "q": "lighthouse",
        "mode": "basic",
        "tags": "home, ",
        "kinds": ["text"],
        "added_from": "2020-01-01",
    }
    html = browser.get("/search", asked).content.decode()
    assert ("work.txt" in html, "home.md" in html) == (False, True)
    assert "kinds=text&amp;tags=home" in html
    assert "(3 set)" in html
    none = browser.get("/search", {"q": "lighthouse", "added_to": "2020-01-01"}).content.decode()
    assert "or fewer filters" in none
    why = browser.get("/search", {"q": "lighthouse", "tags": "home", "missing": "work"}).content.decode()
    assert "left out by the filter on tags" in why
    wrong = browser.get("/search", {"q": "lighthouse", "added_from": "yesterday", "kinds": "dreams"}).content.decode()
    assert "Nothing was searched: some filters are not valid." in wrong
    assert "Enter a valid date." in wrong
    assert "work.txt" not in wrong


def test_two_modes_are_compared_side_by_side_and_nothing_is_kept(browser: Client, tagged: None) -> None:
    assert browser.get("/search/compare").status_code == 200
    asked = {"q": "zyzzyva lighthouse", "first": "basic", "second": "private"}
    response = browser.post("/search/compare", asked)
    html = response.content.decode()
    assert (response["Cache-Control"], html.count("Nothing left this machine.")) == ("no-store", 2)
    assert "<strong>100 %</strong> of the passages" in html
    assert html.index(">Basic <span") < html.index(">Private <span")
    assert html.count("work.txt") >= 2
    assert not re.search(r'(href|action)="[^"]*zyzzyva', html)
    assert not SearchQuery.objects.exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"q": "x", "first": "deep", "second": "deep"}, "Choose two modes that differ."),
        ({"q": "x", "first": "basic", "second": "uncensored"}, "Select a valid choice."),
        ({"q": "", "first": "basic", "second": "deep"}, "This field is required."),
        ({"q": "-x", "first": "basic", "second": "deep"}, "There is nothing to search for."),
    ],
)
def test_what_cannot_be_compared_is_said(browser: Client, asked: dict[str, str], said: str) -> None:
    assert said in browser.post("/search/compare", asked).content.decode()
