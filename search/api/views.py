"""POST /api/search, also as a stream, POST /api/search/compare and POST /api/files/search."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from files.errors import FileNotFound
from orchestra.accounts.models import User
from orchestra.common.openapi import EVENT, raises
from personas.errors import PersonaNotFound
from personas.selectors import facts_for
from search import services, talking
from search.absence import why_absent
from search.api.answers import answer_of, comparison_of
from search.api.events import EventStreamRenderer, event_of
from search.api.serializers import (
    AbsenceQuestionSerializer,
    AbsenceSerializer,
    ComparisonQuestionSerializer,
    ComparisonSerializer,
    SearchResultSerializer,
    SearchSerializer,
    VectorSearchSerializer,
)
from search.comparing import compare
from search.errors import ConversationNotFound, EmptyQuery, ModeNotAllowed, UnknownMode
from search.event_stream import MEDIA_TYPE, EventStream
from search.retrieval import Scope

_STREAMED: dict[Any, Any] = {(200, MEDIA_TYPE): EVENT}


def _scope(user: User, filters: dict[str, Any]) -> Scope:
    return Scope(
        owner_id=user.pk,
        file_ids=tuple(filters.get("files", ())),
        kinds=tuple(filters.get("kinds", ())),
        tags=tuple(filters.get("tags", ())),
        added_from=filters.get("added_from"),
        added_before=filters.get("added_before"),
    )


class SearchView(APIView):
    """Search by meaning and by word."""

    renderer_classes = [*APIView.renderer_classes, EventStreamRenderer]

    @extend_schema(request=SearchSerializer, responses={(200, "application/json"): SearchResultSerializer, **_STREAMED})
    @raises(EmptyQuery, UnknownMode, ModeNotAllowed, PersonaNotFound, ConversationNotFound)
    def post(self, request: Request) -> HttpResponseBase:
        """Search the caller's files in a mode.

        With `Accept: text/event-stream` the answer comes as events while it is made: `step`, `answer` (a checked
        sentence), `citations`, and last `result`, the same JSON as without, or `error`. In a conversation the turn is
        kept when the result is there; a request that is broken off leaves none.
        """
        serializer = SearchSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data, user = serializer.validated_data, cast(User, request.user)
        by_file = data["group_by"] == "file" if "group_by" in data else None
        persona = facts_for(user, data["persona"]) if data.get("persona") else None
        talk = talking.joined(user, data["conversation"]) if data.get("conversation") else None
        running = services.begin(
            user,
            data["query"],
            mode=data.get("mode") or (persona.mode if persona else "") or "basic",
            persona=persona,
            talk=talk,
            scope=_scope(user, data.get("filters", {})),
            limit=data["limit"],
            by_file=by_file,
            explain=data["explain"],
        )
        if isinstance(request.accepted_renderer, EventStreamRenderer):
            return EventStream(running, event_of, answer_of)
        return Response(answer_of(services.finish(running)))


class CompareView(APIView):
    """One question through several modes."""

    @extend_schema(request=ComparisonQuestionSerializer, responses=ComparisonSerializer)
    @raises(EmptyQuery, UnknownMode, ModeNotAllowed)
    def post(self, request: Request) -> Response:
        """Ask the caller's files in several modes and say how much the results have in common."""
        serializer = ComparisonQuestionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data, user = serializer.validated_data, cast(User, request.user)
        scope = _scope(user, data.get("filters", {}))
        return Response(comparison_of(compare(user, data["query"], data["modes"], scope=scope, limit=data["limit"])))


class AbsenceView(APIView):
    """Why is my file not here?"""

    @extend_schema(request=AbsenceQuestionSerializer, responses=AbsenceSerializer)
    @raises(EmptyQuery, FileNotFound)
    def post(self, request: Request) -> Response:
        """Say why a file of the caller's is not among the hits of a question, or where it stands."""
        serializer = AbsenceQuestionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data, user = serializer.validated_data, cast(User, request.user)
        scope = _scope(user, data.get("filters", {}))
        absence = why_absent(user, data["query"], data["file"], scope=scope, limit=data["limit"])
        return Response(AbsenceSerializer(absence).data)


class VectorSearchView(APIView):
    """Search by vectors alone."""

    @extend_schema(request=VectorSearchSerializer, responses=SearchResultSerializer)
    @raises(EmptyQuery)
    def post(self, request: Request) -> Response:
        """Return the passages of the caller's files that lie nearest to the question."""
        serializer = VectorSearchSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data, user = serializer.validated_data, cast(User, request.user)
        result = services.nearest(user, data["query"], scope=_scope(user, data.get("filters", {})), limit=data["limit"])
        return Response(answer_of(result))
