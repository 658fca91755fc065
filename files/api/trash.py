"""The trash: what is in it, back from it, and for good out of it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from files import selectors, services, trash
from files.api.serializers import EmptiedSerializer, FileSerializer, TrashedFileSerializer
from orchestra.accounts.models import User
from orchestra.common.pagination import PageNumberPagination


def _user(request: Request) -> User:
    return cast(User, request.user)


class TrashView(APIView):
    """The caller's trash."""

    @extend_schema(
        operation_id="files_trash_list",
        responses=TrashedFileSerializer(many=True),
        parameters=[OpenApiParameter("page", int), OpenApiParameter("page_size", int)],
    )
    def get(self, request: Request) -> Response:
        """List the files in the trash, those put there last first, with the bytes that all of them take."""
        paginator = PageNumberPagination()
        page = paginator.paginate_queryset(selectors.trash_of(_user(request)), request, self)
        rows: Any = selectors.with_status(page or ())
        response = paginator.get_paginated_response(TrashedFileSerializer(rows, many=True).data)
        response.data["bytes"] = selectors.trash_sum(_user(request)).bytes
        response["Cache-Control"] = "no-store"
        return response

    @extend_schema(operation_id="files_trash_empty", request=None, responses=EmptiedSerializer)
    def delete(self, request: Request) -> Response:
        """Delete everything in the trash completely: bytes, text, passages, vectors."""
        return Response({"deleted": trash.empty(_user(request))})


class TrashedFileView(APIView):
    """One file in the trash."""

    @extend_schema(operation_id="files_trash_delete", request=None, responses={204: None})
    def delete(self, request: Request, file_id: UUID) -> Response:
        """Delete the file completely: bytes, text, passages, vectors."""
        services.delete_completely(selectors.get_trashed(_user(request), file_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RestoreView(APIView):
    """Back from the trash."""

    @extend_schema(operation_id="files_trash_restore", request=None, responses=FileSerializer)
    def post(self, request: Request, file_id: UUID) -> Response:
        """Take the file out of the trash; it is found as before."""
        file = services.restore(selectors.get_trashed(_user(request), file_id))
        view = selectors.with_status([file])[0]
        return Response(FileSerializer(view).data, headers={"Cache-Control": "no-store"})
