"""The trash: what is in it, back from it, and for good out of it."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from files import selectors, services, trash
from files.api.serializers import EmptiedSerializer, FileSerializer, TrashedFileSerializer
from files.errors import FileNotFound
from orchestra.accounts.models import User
from orchestra.common.openapi import raises
from orchestra.common.pagination import Pagination


def _user(request: Request) -> User:
    return cast(User, request.user)


class TrashPagination(Pagination):
    """A page of the trash, with the bytes that all of it takes."""

    also: ClassVar[dict[str, Any]] = {"bytes": {"type": "integer", "description": "Of all files in the trash."}}


class TrashView(APIView):
    """The caller's trash."""

    pagination_class = TrashPagination

    @extend_schema(operation_id="files_trash_list", responses=TrashedFileSerializer(many=True))
    @raises(ValidationError, NotFound)
    def get(self, request: Request) -> Response:
        """List the files in the trash, those put there last first, with the bytes that all of them take."""
        paginator = TrashPagination()
        page = paginator.paginate_queryset(selectors.trash_of(_user(request)), request, self)
        rows: Any = selectors.with_status(page or ())
        response = paginator.get_paginated_response(TrashedFileSerializer(rows, many=True).data)
        response.data["bytes"] = selectors.trash_sum(_user(request)).bytes
        response["Cache-Control"] = "no-store"
        return response

    @extend_schema(operation_id="files_trash_empty", request=None, responses={200: EmptiedSerializer})
    def delete(self, request: Request) -> Response:
        """Delete everything in the trash completely: bytes, text, passages, vectors."""
        return Response({"deleted": trash.empty(_user(request))})


class TrashedFileView(APIView):
    """One file in the trash."""

    @extend_schema(operation_id="files_trash_delete", request=None, responses={204: None})
    @raises(FileNotFound)
    def delete(self, request: Request, file_id: UUID) -> Response:
        """Delete the file completely: bytes, text, passages, vectors."""
        services.delete_completely(selectors.get_trashed(_user(request), file_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RestoreView(APIView):
    """Back from the trash."""

    @extend_schema(operation_id="files_trash_restore", request=None, responses=FileSerializer)
    @raises(FileNotFound)
    def post(self, request: Request, file_id: UUID) -> Response:
        """Take the file out of the trash; it is found as before."""
        file = services.restore(selectors.get_trashed(_user(request), file_id))
        view = selectors.with_status([file])[0]
        return Response(FileSerializer(view).data, headers={"Cache-Control": "no-store"})
