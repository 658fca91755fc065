"""The chunk API: initiate, send chunks in any order, see what arrived."""

from __future__ import annotations

import re
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from files import uploads
from files.api.parsers import RawBodyParser
from files.api.serializers import InitiateSerializer, SmallUploadSerializer, UploadSerializer
from files.errors import (
    ChunkChecksumMismatch,
    ChunkConflict,
    ChunkIncomplete,
    DiskFull,
    FileNotFound,
    FileTooLarge,
    InvalidContentRange,
    InvalidUpload,
    QuotaExceeded,
    StorageError,
    UploadByOffset,
    UploadBytesLost,
    UploadChecksumMismatch,
    UploadExpired,
)
from files.uploads import ChunkRange, NewUpload, UploadState
from orchestra.accounts.api.idempotent import idempotent
from orchestra.accounts.models import User
from orchestra.common.openapi import raises

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)

_CHUNK_SCHEMA: dict[str, Any] = {
    "request": {"application/octet-stream": OpenApiTypes.BINARY},
    "responses": {200: UploadSerializer},
    "parameters": [
        OpenApiParameter("Content-Range", str, OpenApiParameter.HEADER, required=True),
        OpenApiParameter("X-Chunk-SHA256", str, OpenApiParameter.HEADER),
    ],
}


_NO_ROOM = (FileTooLarge, QuotaExceeded, DiskFull, StorageError)
_CHUNK_REFUSED = (
    *(InvalidContentRange, ChunkIncomplete, ChunkChecksumMismatch, ChunkConflict, DiskFull, StorageError),
    *(FileNotFound, UploadExpired, UploadByOffset, UploadBytesLost, UploadChecksumMismatch),
)


def parse_content_range(header: str) -> ChunkRange:
    """Return the range of a Content-Range header. Raises InvalidContentRange."""
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise InvalidContentRange(received=header[:100])
    start, end, size = (int(group) for group in match.groups())
    return ChunkRange(start, end, size)


def _answer(state: UploadState, code: int = status.HTTP_200_OK) -> Response:
    return Response(UploadSerializer(state).data, status=code, headers={"Cache-Control": "no-store"})


class InitiateUploadView(APIView):
    """Open an upload."""

    @extend_schema(
        operation_id="files_upload_initiate",
        request=InitiateSerializer,
        responses={200: UploadSerializer, 201: UploadSerializer},
    )
    @raises(InvalidUpload, *_NO_ROOM)
    @idempotent()
    def post(self, request: Request) -> Response:
        """Declare a file. 201: send its chunks; 200: the content is here already, or its upload can be continued."""
        serializer = InitiateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        new = NewUpload(
            data["name"], data["size"], data["sha256"].lower(), data["chunk_size"], tuple(data.get("tags", ()))
        )
        state = uploads.initiate(cast(User, request.user), new)
        opened = not state.duplicate and not state.received
        return _answer(state, status.HTTP_201_CREATED if opened else status.HTTP_200_OK)


class ChunkView(APIView):
    """Take one chunk of an upload."""

    parser_classes = (RawBodyParser,)

    @extend_schema(operation_id="files_upload_chunk", **_CHUNK_SCHEMA)
    @raises(*_CHUNK_REFUSED)
    def put(self, request: Request, file_id: UUID) -> Response:
        """Store a chunk. It is on disk when the answer comes; sending it again is harmless."""
        upload = uploads.find(cast(User, request.user), file_id)
        part = parse_content_range(request.headers.get("Content-Range", ""))
        # The stream below DRF's parsers, which would be skipped for an empty Content-Type.
        body = request._request
        return _answer(uploads.receive_chunk(upload, part, body, request.headers.get("X-Chunk-SHA256", "")))

    @extend_schema(operation_id="files_upload_chunk_post", **_CHUNK_SCHEMA)
    @raises(*_CHUNK_REFUSED)
    def post(self, request: Request, file_id: UUID) -> Response:
        """Store a chunk, as PUT does."""
        return self.put(request, file_id)


class SmallUploadView(APIView):
    """Take a small file in one request."""

    parser_classes = (MultiPartParser, FormParser)

    @extend_schema(
        operation_id="files_upload_small",
        request={"multipart/form-data": SmallUploadSerializer},
        responses={200: UploadSerializer, 201: UploadSerializer},
    )
    @raises(ValidationError, InvalidUpload, *_NO_ROOM)
    @idempotent()
    def post(self, request: Request) -> Response:
        """Store the field `file`. 201: a new file; 200: the content was here already."""
        serializer = SmallUploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        sent = serializer.validated_data["file"]
        if sent.size > settings.SMALL_UPLOAD_LIMIT:
            raise FileTooLarge(
                f"One request carries up to {settings.SMALL_UPLOAD_LIMIT} bytes.",
                hint="Send larger files in chunks: POST /api/files/upload/initiate.",
            )
        new = NewUpload(sent.name, sent.size, tags=tuple(serializer.validated_data.get("tags", ())))
        state = uploads.receive_whole(cast(User, request.user), new, sent)
        return _answer(state, status.HTTP_200_OK if state.duplicate else status.HTTP_201_CREATED)
