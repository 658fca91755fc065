"""Files: list, status, content, download, change, delete, retry, cancel."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from uuid import UUID

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from files import downloads, selectors, services, uploads
from files.api.negotiation import TEXT_FORMS, TextFormsNegotiation
from files.api.serializers import (
    MAX_SEGMENTS,
    ContentSerializer,
    FileFilterSerializer,
    FileSerializer,
    FileStatusSerializer,
    FileUpdateSerializer,
    SegmentPageSerializer,
    SegmentSerializer,
    files_as_json,
)
from files.errors import BytesMissing, FileNotFound, InvalidMove, RangeNotSatisfiable, StorageError
from files.models import FileRecord, FileStatus, Upload
from orchestra.accounts.models import User
from orchestra.common.conditional import (
    IF_MATCH,
    IF_NONE_MATCH,
    NOT_CHANGED,
    TAG,
    Changed,
    allowed_versions,
    tagged,
)
from orchestra.common.openapi import raises
from orchestra.common.pagination import Pagination

_SHOWN = ("image/*", "audio/*", "video/*")
_BYTES = "application/octet-stream"
_RANGED = [OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="`bytes=0-499`: a part, with 206.")]


def _user(request: Request) -> User:
    return cast(User, request.user)


class FilesPagination(Pagination):
    """A page of files, with how many there are of each status."""

    also: ClassVar[dict[str, Any]] = {
        "counts": {
            "type": "object",
            "description": "All the caller's files by status; one that no file has is left out.",
            "propertyNames": {"enum": FileStatus.values},
            "additionalProperties": {"type": "integer"},
        }
    }


class FileListView(APIView):
    """The caller's files."""

    pagination_class = FilesPagination

    @extend_schema(operation_id="files_list", responses=FileSerializer(many=True), parameters=[FileFilterSerializer])
    @raises(ValidationError, NotFound)
    def get(self, request: Request) -> Response:
        """List files, newest first where no other sort is asked for."""
        query = FileFilterSerializer(data=request.query_params, partial=True)
        query.is_valid(raise_exception=True)
        files = query.narrow(selectors.files_of(_user(request)))
        paginator = FilesPagination()
        page = paginator.paginate_queryset(files, request, self)
        response = paginator.get_paginated_response(files_as_json(selectors.with_status(page or ())))
        # Of all the caller's files, as on the socket: what polls instead needs no second request.
        response.data["counts"] = selectors.counts_by_status(_user(request))
        response["Cache-Control"] = "no-store"
        return response


class FileView(APIView):
    """One of the caller's files."""

    @extend_schema(responses={200: FileSerializer, **NOT_CHANGED}, parameters=[IF_NONE_MATCH, TAG])
    @raises(FileNotFound)
    def get(self, request: Request, file_id: UUID) -> Response:
        """Return the file and where it stands."""
        return _tagged(request, selectors.get_file(_user(request), file_id))

    @extend_schema(request=FileUpdateSerializer, responses=FileSerializer, parameters=[IF_MATCH, TAG])
    @raises(FileNotFound, Changed)
    def patch(self, request: Request, file_id: UUID) -> Response:
        """Rename or tag the file."""
        file = selectors.get_file(_user(request), file_id)
        serializer = FileUpdateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        versions = allowed_versions(request)
        return _tagged(request, services.update(file, versions=versions, **serializer.validated_data))

    @extend_schema(request=None, responses={204: None}, parameters=[IF_MATCH])
    @raises(FileNotFound, InvalidMove, Changed)
    def delete(self, request: Request, file_id: UUID) -> Response:
        """Move the file to the trash; one that is still being uploaded is deleted completely."""
        services.delete(selectors.get_file(_user(request), file_id), versions=allowed_versions(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _tagged(request: Request, file: FileRecord) -> Response:
    return tagged(request, _file_response(file), str(file.version))


def _file_response(file: FileRecord) -> Response:
    return Response(FileSerializer(selectors.with_status([file])[0]).data, headers={"Cache-Control": "no-store"})


class FileStatusView(APIView):
    """The truth about one file."""

    @extend_schema(responses=FileStatusSerializer)
    @raises(FileNotFound)
    def get(self, request: Request, file_id: UUID) -> Response:
        """Return state, progress, place in the queue, timeline, error, and the upload while bytes are missing."""
        file, upload = _file_or_its_upload(_user(request), file_id)
        view = selectors.with_status([file])[0]
        body: dict[str, Any] = dict(FileSerializer(view).data)
        job = selectors.job_of(file)
        body["timings"] = job.timings if job else {}
        body["timeline"] = FileStatusSerializer().fields["timeline"].to_representation(selectors.timeline(file))
        body["upload"] = None
        if upload is not None and upload.completed_at is None:
            body["upload"] = FileStatusSerializer().fields["upload"].to_representation(uploads.state_of(upload))
        return Response(body, headers={"Cache-Control": "no-store"})


def _file_or_its_upload(user: User, file_id: UUID) -> tuple[FileRecord, Upload | None]:
    """Find a file by its id, or by the id of the upload whose content turned out to be that file."""
    upload = Upload.objects.select_related("file").filter(pk=file_id, owner=user, file__trashed_at=None).first()
    if upload is not None:
        return upload.file, upload
    return selectors.get_file(user, file_id), None


class FileContentView(APIView):
    """What was read from a file."""

    content_negotiation_class = TextFormsNegotiation

    @extend_schema(
        responses={
            (200, "application/json"): ContentSerializer,
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "text/markdown"): OpenApiTypes.STR,
        },
        parameters=[OpenApiParameter("format", str, enum=["json", "text", "markdown"]), SegmentPageSerializer],
    )
    @raises(FileNotFound, ValidationError)
    def get(self, request: Request, file_id: UUID) -> HttpResponseBase:
        """Return metadata and a page of segments, or all text with ``?format=text``."""
        file = selectors.get_file(_user(request), file_id)
        query = SegmentPageSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        if media_type := TEXT_FORMS.get(request.query_params.get("format", "")):
            response = StreamingHttpResponse(selectors.text_of(file), content_type=f"{media_type}; charset=utf-8")
            return downloads.harmless(response)
        return Response(_content_page(file, query.validated_data["offset"], query.validated_data["limit"]))


def _content_page(file: FileRecord, offset: int, limit: int) -> dict[str, Any]:
    limit = min(MAX_SEGMENTS, limit)
    page = list(selectors.segments_of(file)[offset : offset + limit])
    after = offset + len(page)
    return {
        "id": str(file.pk),
        "metadata": file.metadata,
        "segment_count": file.segment_count,
        "next_offset": after if after < file.segment_count and page else None,
        "segments": SegmentSerializer(page, many=True).data,
    }


class FileDownloadView(APIView):
    """The bytes as they came."""

    @extend_schema(
        responses={(200, _BYTES): OpenApiTypes.BINARY, (206, _BYTES): OpenApiTypes.BINARY}, parameters=_RANGED
    )
    @raises(FileNotFound, BytesMissing, RangeNotSatisfiable, StorageError)
    def get(self, request: Request, file_id: UUID) -> HttpResponseBase:
        """Return the file as an attachment; `Range` is honoured."""
        file = selectors.get_file(_user(request), file_id)
        return downloads.respond(file, request.headers.get("Range", ""))


class ThumbnailView(APIView):
    """A small picture of the file."""

    @extend_schema(responses={(200, "image/webp", "image/jpeg"): OpenApiTypes.BINARY})
    @raises(FileNotFound)
    def get(self, request: Request, file_id: UUID) -> HttpResponseBase:
        """Return the picture; 404 where the file has none."""
        return downloads.thumbnail(selectors.get_file(_user(request), file_id))


class PreviewView(APIView):
    """The file as a page shows it."""

    @extend_schema(
        responses={(200, *_SHOWN): OpenApiTypes.BINARY, (206, *_SHOWN): OpenApiTypes.BINARY}, parameters=_RANGED
    )
    @raises(FileNotFound, BytesMissing, RangeNotSatisfiable, StorageError)
    def get(self, request: Request, file_id: UUID) -> HttpResponseBase:
        """Return a picture, a sound or a film for a page to show, with `Range`; 404 for all other types."""
        file = selectors.get_file(_user(request), file_id)
        return downloads.shown(file, request.headers.get("Range", ""))


class RetryView(APIView):
    """Process a file again."""

    @extend_schema(request=None, responses={202: FileSerializer})
    @raises(FileNotFound, InvalidMove)
    def post(self, request: Request, file_id: UUID) -> Response:
        """Queue the file again."""
        file = selectors.get_file(_user(request), file_id)
        services.retry(file)
        return _accepted(_user(request), file_id)


class CancelView(APIView):
    """Stop processing a file."""

    @extend_schema(request=None, responses={202: FileSerializer})
    @raises(FileNotFound, InvalidMove)
    def post(self, request: Request, file_id: UUID) -> Response:
        """Take the file out of the queue, or stop its worker."""
        services.cancel(selectors.get_file(_user(request), file_id))
        return _accepted(_user(request), file_id)


def _accepted(user: User, file_id: UUID) -> Response:
    response = _file_response(selectors.get_file(user, file_id))
    response.status_code = status.HTTP_202_ACCEPTED
    return response
