"""Conversations: stored turns, a bounded context, deletion; nothing of private mode; nothing of another user's."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from orchestra.accounts.models import User
from search import conversations
from search.conversations import MOST_CHARACTERS, MOST_TURNS, NewTurn
from search.errors import ConversationNotFound
from search.follow_ups import PastTurn
from search.models import Conversation, Turn


def turn(question: str, text: str = "", mode: str = "basic") -> NewTurn:
    return NewTurn(question, mode, {"text": text} if text else {})


def begun(user: User, question: str, text: str = "") -> Conversation:
    conversation = conversations.begin(user, turn(question, text))
    assert conversation is not None
    return conversation


def test_turns_are_kept_in_their_order(alice: User) -> None:
    conversation = begun(alice, "Who is the\nharbour master?", "Anna.")
    persona = uuid4()
    later = conversations.add_turn(
        conversation, NewTurn("Why?", "deep", {"text": "She is.", "citations": [1]}, persona)
    )
    assert later is not None
    assert (conversation.title, later.number) == ("Who is the harbour master?", 2)
    first, second = conversations.turns_of(conversation, 10)
    assert (first.question, first.answer, first.persona_id) == ("Who is the\nharbour master?", {"text": "Anna."}, None)
    assert (second.mode, second.persona_id, second.answer["citations"]) == ("deep", persona, [1])
    assert first.created_at <= second.created_at
    assert conversations.context_of(conversation) == (
        PastTurn("Who is the\nharbour master?", "Anna."),
        PastTurn("Why?", "She is."),
    )


def test_private_mode_keeps_nothing(alice: User) -> None:
    assert conversations.begin(alice, turn("A secret?", "Yes.", "private")) is None
    conversation = begun(alice, "Open?")
    assert conversations.add_turn(conversation, turn("A secret?", "Yes.", "private")) is None
    assert Turn.objects.count() == Conversation.objects.count() == 1
    assert conversations.context_of(conversation) == (PastTurn("Open?"),)


def test_the_context_is_bounded_by_number(alice: User) -> None:
    conversation = begun(alice, "question 1")
    for number in range(2, 20):
        conversations.add_turn(conversation, turn(f"question {number}"))
    context = conversations.context_of(conversation)
    assert [one.question for one in context] == [f"question {n}" for n in range(20 - MOST_TURNS, 20)]


def test_the_context_is_bounded_by_characters(alice: User) -> None:
    conversation = begun(alice, "old", "x" * (MOST_CHARACTERS - 100))
    conversations.add_turn(conversation, turn("new", "y" * 150))
    assert [one.question for one in conversations.context_of(conversation)] == ["new"]
    conversations.add_turn(conversation, turn("newest", "z" * 2 * MOST_CHARACTERS))
    (only,) = conversations.context_of(conversation)
    assert only.question == "newest"
    assert len(only.question) + len(only.answer) == MOST_CHARACTERS


def test_answers_without_a_text_are_understood_by_their_question(alice: User) -> None:
    conversation = begun(alice, "first")
    answers: list[dict[str, Any]] = [{}, {"text": None}, {"text": ["x"]}]
    for answer in answers:
        conversations.add_turn(conversation, NewTurn("next", "basic", answer))
    assert {one.answer for one in conversations.context_of(conversation)} == {""}


def test_what_the_database_refuses_is_taken_out(alice: User) -> None:
    answer = {"text": "a\x00b", "hits": [{"na\x00me": "\ud800x", "score": 0.5, "of": None}]}
    conversation = conversations.begin(alice, NewTurn("What\x00 is\ud800?", "basic", answer))
    assert conversation is not None
    (kept,) = conversations.turns_of(conversation, 1)
    assert kept.question == "What  is??"
    assert kept.answer == {"text": "a b", "hits": [{"na me": "?x", "score": 0.5, "of": None}]}


def test_an_answer_to_a_conversation_that_is_gone_is_not_kept(alice: User) -> None:
    conversation = begun(alice, "first")
    conversations.delete(alice, conversation.pk)
    assert conversations.add_turn(conversation, turn("next")) is None
    assert not Turn.objects.exists()


def test_conversations_go_with_their_user(alice: User) -> None:
    begun(alice, "first")
    alice.delete()
    assert not Conversation.objects.exists()
    assert not Turn.objects.exists()


def test_anothers_conversation_is_an_unknown_one(alice: User, bob: User, as_bob: APIClient) -> None:
    conversation = begun(alice, "Alice's question")
    for conversation_id in (conversation.pk, uuid4()):
        with pytest.raises(ConversationNotFound):
            conversations.get_conversation(bob, conversation_id)
        with pytest.raises(ConversationNotFound):
            conversations.delete(bob, conversation_id)
        for method in (as_bob.get, as_bob.delete):
            answer = method(f"/api/conversations/{conversation_id}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "conversation_not_found")
    assert as_bob.get("/api/conversations").json()["results"] == []
    assert as_bob.delete("/api/conversations").json() == {"deleted": 0}
    assert Conversation.objects.filter(pk=conversation.pk).exists()


def test_the_api_lists_shows_and_deletes(as_alice: APIClient, alice: User) -> None:
    first, second = begun(alice, "first"), begun(alice, "second")
    conversations.add_turn(first, turn("more", "text"))
    page = as_alice.get("/api/conversations?page_size=1").json()
    assert page["count"] == 2
    assert page["results"][0].keys() == {"id", "title", "created_at", "updated_at"}

    shown = as_alice.get(f"/api/conversations/{first.pk}").json()
    assert [(one["number"], one["question"], one["answer"]) for one in shown["turns"]] == [
        (1, "first", {}),
        (2, "more", {"text": "text"}),
    ]
    assert as_alice.delete(f"/api/conversations/{first.pk}").status_code == 204
    assert as_alice.get(f"/api/conversations/{first.pk}").status_code == 404
    begun(alice, "third")
    assert as_alice.delete("/api/conversations").json() == {"deleted": 2}
    assert not Conversation.objects.filter(pk=second.pk).exists()
    assert not Turn.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_conversation_that_was_continued_last_comes_first(as_alice: APIClient, alice: User) -> None:
    first, second = begun(alice, "first"), begun(alice, "second")
    assert [one["title"] for one in as_alice.get("/api/conversations").json()["results"]] == ["second", "first"]
    conversations.add_turn(first, turn("more"))
    listed = as_alice.get("/api/conversations").json()["results"]
    assert [one["id"] for one in listed] == [str(first.pk), str(second.pk)]
