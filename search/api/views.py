"""POST /api/search and POST /api/files/search."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orchestra.accounts.models import User
from search import services
from search.absence import why_absent
from search.api.serializers import (
    AbsenceQuestionSerializer,
    AbsenceSerializer,
    SearchResultSerializer,
    SearchSerializer,
    VectorSearchSerializer,
)
from search.retrieval import Scope


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

    @extend_schema(request=SearchSerializer, responses=SearchResultSerializer)
    def post(self, request: Request) -> Response:
        """Search the caller's files in a mode."""
        serializer = SearchSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data, user = serializer.validated_data, cast(User, request.user)
        scope = _scope(user, data.get("filters", {}))
        result = services.search(
            user,
            data["query"],
            mode=data["mode"],
            scope=scope,
            limit=data["limit"],
            by_file=data["group_by"] == "file",
            explain=data["explain"],
        )
        return Response(SearchResultSerializer(result).data)


class AbsenceView(APIView):
    """Why is my file not here?"""

    @extend_schema(request=AbsenceQuestionSerializer, responses=AbsenceSerializer)
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
    def post(self, request: Request) -> Response:
        """Return the passages of the caller's files that lie nearest to the question."""
        serializer = VectorSearchSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data, user = serializer.validated_data, cast(User, request.user)
        result = services.nearest(user, data["query"], scope=_scope(user, data.get("filters", {})), limit=data["limit"])
        return Response(SearchResultSerializer(result).data)
