"""GET and DELETE /api/conversations, and one of them."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orchestra.accounts.models import User
from orchestra.common.openapi import raises
from orchestra.common.pagination import Pagination
from search import conversations
from search.errors import ConversationNotFound
from search.models import Conversation, Turn

_MOST_TURNS = 200


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """A conversation without its turns."""

    class Meta:
        model = Conversation
        fields = ("id", "title", "created_at", "updated_at")


class TurnSerializer(serializers.ModelSerializer[Turn]):
    """A question and its answer."""

    persona = serializers.UUIDField(
        source="persona_id", allow_null=True, help_text="null: none. It may have been deleted since."
    )
    answer = serializers.DictField(help_text="As it was given; empty where there was none.")

    class Meta:
        model = Turn
        fields = ("id", "number", "mode", "persona", "question", "answer", "created_at")


class ConversationWithTurnsSerializer(ConversationSerializer):
    """A conversation with its newest turns."""

    turns = TurnSerializer(many=True, help_text=f"Oldest first; the newest {_MOST_TURNS} of a long conversation.")

    class Meta(ConversationSerializer.Meta):
        fields = (*ConversationSerializer.Meta.fields, "turns")  # type: ignore[assignment]  # one longer than the parent's


class DeletedSerializer(serializers.Serializer[Any]):
    """What deleting all conversations did."""

    deleted = serializers.IntegerField()


def _user(request: Request) -> User:
    return cast(User, request.user)


class ConversationListView(APIView):
    """The caller's conversations."""

    pagination_class = Pagination

    @extend_schema(operation_id="conversations_list", responses=ConversationSerializer(many=True))
    @raises(ValidationError, NotFound)
    def get(self, request: Request) -> Response:
        """List conversations, the one that was continued last first."""
        paginator = Pagination()
        page = paginator.paginate_queryset(conversations.conversations_of(_user(request)), request, self)
        rows: Any = page or ()
        response = paginator.get_paginated_response(ConversationSerializer(rows, many=True).data)
        response["Cache-Control"] = "no-store"
        return response

    @extend_schema(operation_id="conversations_destroy_all", request=None, responses={200: DeletedSerializer})
    def delete(self, request: Request) -> Response:
        """Delete all conversations of the caller, with their turns."""
        return Response({"deleted": conversations.delete_all(_user(request))})


class ConversationView(APIView):
    """One of the caller's conversations."""

    @extend_schema(operation_id="conversations_retrieve", responses=ConversationWithTurnsSerializer)
    @raises(ConversationNotFound)
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """Return the conversation with its turns."""
        conversation = conversations.get_conversation(_user(request), conversation_id)
        turns: Any = conversations.turns_of(conversation, _MOST_TURNS)
        body = {**ConversationSerializer(conversation).data, "turns": TurnSerializer(turns, many=True).data}
        return Response(body, headers={"Cache-Control": "no-store"})

    @extend_schema(operation_id="conversations_destroy", request=None, responses={204: None})
    @raises(ConversationNotFound)
    def delete(self, request: Request, conversation_id: UUID) -> Response:
        """Delete the conversation with its turns."""
        conversations.delete(_user(request), conversation_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
