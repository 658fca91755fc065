"""What can go wrong with a search."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class EmptyQuery(OrchestraError):
    """There is nothing to search for."""

    code = "query_empty"
    status = 400
    default_message = "There is nothing to search for."
    default_hint = "Write a question or some words."


class UnknownMode(OrchestraError):
    """The mode does not exist on this server."""

    code = "mode_unknown"
    status = 400
    default_message = "This server has no such search mode."


class ModeNotAllowed(OrchestraError):
    """The user may not search in this mode."""

    code = "mode_not_allowed"
    status = 403
    default_message = "You may not search in this mode."
    default_hint = "An administrator can give you the permission for it."


class ConversationNotFound(OrchestraError):
    """The conversation does not exist or is another user's; the two are not told apart."""

    code = "conversation_not_found"
    status = 404
    default_message = "There is no such conversation."
    default_hint = "Check the id; it may have been deleted. Without one, a search begins a new conversation."


class InvalidEvaluationQuestion(OrchestraError):
    """A question that cannot be measured: no text, no files, or none of the author's own."""

    code = "evaluation_question_invalid"
    status = 400
    default_message = "This question cannot be measured."


class NothingToEvaluate(OrchestraError):
    """There is no question whose right files are known."""

    code = "evaluation_empty"
    status = 409
    default_message = "There is no question to measure with."
    default_hint = "Add a question with the files that should answer it."


class MirrorUnavailable(OrchestraError):
    """A store beside PostgreSQL does not answer, or what it keeps cannot be read."""

    code = "vector_store_unavailable"
    status = 503
    transient = True
    default_message = "The vector store does not answer."
    default_hint = "PostgreSQL is searched meanwhile. Run: manage.py doctor"


class MessageTooLarge(OrchestraError):
    """A message to the MCP server is longer than any call needs."""

    code = "message_too_large"
    status = 413
    default_message = "This message is longer than a call of a tool may be."
    default_hint = "Send a shorter question, or fewer ids."


class PassageNotFound(OrchestraError):
    """The passage does not exist, is another user's, or was replaced when its file was read again."""

    code = "passage_not_found"
    status = 404
    default_message = "There is no such passage."
    default_hint = "Its file may have been read again meanwhile: look at its passages anew."
