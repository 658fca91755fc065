"""Conversations: questions that belong together, kept so that a later one is understood. Private mode keeps none.

Before it: a mode's answer, with the persona it was given by. After it: `search.follow_ups`, which expands a question by
what came before it, and the prompts of a model, which begin with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Now

from orchestra.accounts.models import User
from search.errors import ConversationNotFound
from search.follow_ups import PastTurn
from search.models import Conversation, Turn

UNKEPT_MODES = frozenset({"private"})
"""Modes whose questions are stored nowhere."""

MOST_TURNS = 6
MOST_CHARACTERS = 6_000
"""What a later question takes of a conversation, at most: its newest turns."""

_LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True)
class NewTurn:
    """A question that was answered. `answer` is JSON; its `text` is what a later question is understood by."""

    question: str
    mode: str
    answer: dict[str, Any] = field(default_factory=dict)
    persona_id: UUID | None = None

    @property
    def past(self) -> PastTurn:
        """What a later question takes of it."""
        return PastTurn(self.question, _text_of(self.answer))


def conversations_of(user: User) -> QuerySet[Conversation]:
    """Return a user's conversations, the one that was continued last first."""
    return Conversation.objects.filter(user=user)


def get_conversation(user: User, conversation_id: UUID) -> Conversation:
    """Return one conversation of the user's. Raises ConversationNotFound, alike for unknown ids and for others'."""
    conversation = conversations_of(user).filter(pk=conversation_id).first()
    if conversation is None:
        raise ConversationNotFound
    return conversation


def begin(user: User, *turns: NewTurn) -> Conversation | None:
    """Keep first questions, in their order, and return their conversation; None where no mode of theirs keeps any."""
    kept = [turn for turn in turns if turn.mode not in UNKEPT_MODES]
    if not kept:
        return None
    with transaction.atomic():
        title = " ".join(_storable(kept[0].question).split())[:_LONGEST_TITLE]
        conversation = Conversation.objects.create(user=user, title=title)
        for number, turn in enumerate(kept, 1):
            _write(conversation, turn, number)
    conversation.refresh_from_db()
    return conversation


def add_turn(conversation: Conversation, turn: NewTurn) -> Turn | None:
    """Keep a later question; None in a mode that keeps nothing, and where the conversation was deleted meanwhile."""
    if turn.mode in UNKEPT_MODES:
        return None
    with transaction.atomic():
        # Its row is locked from here on: two questions at once get two numbers.
        if not Conversation.objects.filter(pk=conversation.pk).update(updated_at=Now()):
            return None
        last: int | None = Turn.objects.filter(conversation=conversation).aggregate(last=Max("number"))["last"]
        return _write(conversation, turn, (last or 0) + 1)


def turns_of(conversation: Conversation, most: int) -> list[Turn]:
    """Return the newest turns of a conversation, oldest first, `most` of them."""
    return list(conversation.turns.order_by("-number")[:most])[::-1]


def context_of(conversation: Conversation) -> tuple[PastTurn, ...]:
    """Return what came before, oldest first: the newest MOST_TURNS turns, MOST_CHARACTERS of them together.

    A turn is taken as a whole or not at all, but for the newest, whose answer is cut.
    """
    newest_first = turns_of(conversation, MOST_TURNS)[::-1]
    return bounded(PastTurn(turn.question, _text_of(turn.answer)) for turn in newest_first)


def bounded(newest_first: Iterable[PastTurn]) -> tuple[PastTurn, ...]:
    """Return as many turns as have room in MOST_CHARACTERS, oldest first; the newest is cut where it alone has none."""
    kept: list[PastTurn] = []
    room = MOST_CHARACTERS
    for turn in newest_first:
        taken = turn if kept else _cut(turn)
        room -= len(taken.question) + len(taken.answer)
        if room < 0:
            break
        kept.append(taken)
    return tuple(reversed(kept))


def delete(user: User, conversation_id: UUID) -> None:
    """Delete one conversation with its turns. Raises ConversationNotFound."""
    get_conversation(user, conversation_id).delete()


def delete_all(user: User) -> int:
    """Delete all conversations of a user, and return how many there were."""
    _, deleted = conversations_of(user).delete()
    return deleted.get(Conversation._meta.label, 0)


def _write(conversation: Conversation, turn: NewTurn, number: int) -> Turn:
    return Turn.objects.create(
        conversation=conversation,
        number=number,
        mode=turn.mode,
        persona_id=turn.persona_id,
        question=_storable(turn.question),
        answer=_storable_json(turn.answer),
    )


def _storable(text: str) -> str:
    """Return a text without what PostgreSQL refuses: NUL, and halves of characters."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()


def _storable_json(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, dict):
        return {_storable(str(key)): _storable_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_storable_json(one) for one in value]
    return value


def _text_of(answer: object) -> str:
    text = answer.get("text", "") if isinstance(answer, dict) else ""
    return text if isinstance(text, str) else ""


def _cut(turn: PastTurn) -> PastTurn:
    question = turn.question[:MOST_CHARACTERS]
    return PastTurn(question, turn.answer[: MOST_CHARACTERS - len(question)])
