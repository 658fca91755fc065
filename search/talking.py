"""A search in a conversation: what came before makes its question whole, and the turn is kept after the answer.

Between `search.services`, which searches, and `search.conversations`, which keeps. A first question that may get a
follow-up travels sealed in its page until it does: only then are both kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from django.core import signing

from orchestra.accounts.models import User
from search import conversations
from search.answering.answer import Answer, AnswerKind, Citation, Sentence
from search.conversations import NewTurn
from search.follow_ups import PastTurn, follow_up
from search.models import Conversation, Turn
from search.retrieval import SearchRequest, SearchResult

NEW = "new"
"""What stands for the id of a conversation that is yet to begin."""

_SALT = "search.first-turn"


@dataclass(frozen=True, slots=True)
class Talk:
    """The conversation that a question belongs to; None where it begins one.

    `first` is a question that was asked and answered before anybody knew that a conversation would come of it.
    """

    conversation: Conversation | None = None
    first: NewTurn | None = None

    def before(self) -> tuple[PastTurn, ...]:
        """Return what came before, oldest first, bounded."""
        if self.conversation is not None:
            return conversations.context_of(self.conversation)
        return conversations.bounded([self.first.past] if self.first else [])


def joined(user: User, named: UUID | str) -> Talk:
    """Return the conversation of an id, or the beginning of one for NEW. Raises ConversationNotFound."""
    return Talk() if isinstance(named, str) else Talk(conversations.get_conversation(user, named))


def understood(request: SearchRequest, talk: Talk) -> SearchRequest:
    """Return the request with its question made whole by what came before."""
    before = talk.before()
    return replace(request, query=follow_up(request.query, before), asked=request.query, before=before)


def keep(user: User, talk: Talk, result: SearchResult, persona_id: UUID | None) -> UUID | None:
    """Keep a question with its answer, and return its conversation's id; None where that was deleted meanwhile."""
    turn = turn_of(result, persona_id)
    if talk.conversation is not None:
        return talk.conversation.pk if conversations.add_turn(talk.conversation, turn) else None
    begun = conversations.begin(user, *([talk.first] if talk.first else []), turn)
    return begun.pk if begun else None


def turn_of(result: SearchResult, persona_id: UUID | None) -> NewTurn:
    """Return a result as a turn: its question, and its answer where it has one. The hits are not kept."""
    return NewTurn(result.query, result.mode, _answer_of(result), persona_id)


def sealed(user: User, turn: NewTurn) -> str:
    """Return a turn as a text that a page may hold, and that nobody can change or use for another user."""
    values = {**asdict(turn), "persona_id": str(turn.persona_id) if turn.persona_id else ""}
    return signing.dumps(values, salt=f"{_SALT}:{user.pk}", compress=True)


def unsealed(user: User, text: str) -> NewTurn | None:
    """Return the turn that `sealed` gave; None for anything else."""
    try:
        values = signing.loads(text, salt=f"{_SALT}:{user.pk}")
    except signing.BadSignature:
        return None
    persona = values.pop("persona_id")
    return NewTurn(**values, persona_id=UUID(persona) if persona else None)


def kept_answer(turn: Turn) -> Answer | None:
    """Return the answer of a kept turn; None where there was none, or where it is not as this version keeps it."""
    kept = turn.answer
    try:
        said = tuple(
            Sentence(one["text"], tuple(one["citations"]), one["supported"], one["section"])
            for one in kept["sentences"]
        )
        citations = tuple(
            Citation(one["number"], UUID(one["chunk_id"]), UUID(one["file_id"]), one["file_name"], one["place"])
            for one in kept["citations"]
        )
        return Answer(AnswerKind(kept["kind"]), said, citations, kept["model"], kept["cut"])
    except (KeyError, TypeError, ValueError):
        return None


def _answer_of(result: SearchResult) -> dict[str, Any]:
    """Return an answer as JSON; its `text` are the sentences that their passages support."""
    if result.answer is None:
        return {}
    text = " ".join(sentence.text for sentence in result.answer.sentences if sentence.supported)
    return {"text": text, **json.loads(json.dumps(asdict(result.answer), default=str))}
