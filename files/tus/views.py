"""tus 1.0 over the chunk engine: create, ask for the offset, send bytes, delete.

https://tus.io/protocols/resumable-upload. An upload's id is that of the file that it becomes, as in the chunk API.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from files import appending, selectors, services, uploads
from files.errors import CheckedBodyTooLarge, FileNotFound, OffsetConflict, UploadTooLong
from files.models import Upload
from files.tus import protocol
from files.tus.errors import InvalidTusHeader, TusVersionUnknown, WrongTusContentType
from files.uploads import NewUpload, UploadState
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from orchestra.common.streamed_body import body_of

_NOT_OFFERED = {
    "Upload-Defer-Length": "The length of an upload must be known when it is created.",
    "Upload-Concat": "Uploads are not concatenated here: send the file as one.",
}


class _OneRenderer(BaseContentNegotiation):
    """Answers JSON, whatever a client of tus says that it accepts."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """Return no parser: bodies are read by the engine."""
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return the first renderer."""
        first = next(iter(renderers))
        return first, first.media_type or ""


class _TusView(APIView):
    """What all of them share: the version, the headers of each answer, the replaced method, OPTIONS."""

    renderer_classes = (JSONRenderer,)
    content_negotiation_class = _OneRenderer
    schema = None  # HEAD and headers are not what OpenAPI tells well: docs/api.md

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Take X-HTTP-Method-Override for the method, before anything is decided by it."""
        if override := request.headers.get("X-HTTP-Method-Override"):
            request.method = override.strip().upper()
        super().setup(request, *args, **kwargs)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Ask nobody who they are before they know what this server can do."""
        return [] if self.request.method == "OPTIONS" else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        """Let everybody ask what this server can do."""
        anybody: list[BasePermission] = [AllowAny()]
        return anybody if self.request.method == "OPTIONS" else list(super().get_permissions())

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse other versions of tus, as soon as it is known who asks. Raises TusVersionUnknown."""
        super().initial(request, *args, **kwargs)
        known = request.method != "OPTIONS" and hasattr(self, str(request.method).lower())
        if known and request.headers.get("Tus-Resumable") != protocol.VERSION:
            raise TusVersionUnknown

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add what every answer says."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Tus-Resumable"] = protocol.VERSION
        answer["Cache-Control"] = "no-store"
        if answer.status_code == status.HTTP_412_PRECONDITION_FAILED:
            answer["Tus-Version"] = protocol.VERSION
        if answer.status_code == status.HTTP_413_REQUEST_ENTITY_TOO_LARGE:
            answer["Tus-Max-Size"] = str(settings.MAX_FILE_SIZE)
        return answer

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Say what this server can do."""
        return Response(
            status=status.HTTP_204_NO_CONTENT,
            headers={
                "Tus-Version": protocol.VERSION,
                "Tus-Extension": ",".join(protocol.EXTENSIONS),
                "Tus-Max-Size": str(settings.MAX_FILE_SIZE),
                "Tus-Checksum-Algorithm": ",".join(protocol.ALGORITHMS),
            },
        )


class TusUploadsView(_TusView):
    """Where uploads are created."""

    def post(self, request: Request) -> Response:
        """Open an upload, and take the first of its bytes where the request brings some."""
        new = _declared(request)
        carries = request.content_type == protocol.OFFSET_TYPE
        if carries:
            _require_fit(request, new.size)
        state = uploads.initiate(cast(User, request.user), new)
        # A reference without a host is right behind any proxy, and clients must resolve it.
        headers = {"Location": reverse("tus-upload", args=[state.upload.pk])}
        if carries:
            state = _first_bytes(request, state)
            headers["Upload-Offset"] = str(state.received_bytes)
        return _answer(status.HTTP_201_CREATED, state, headers)


class TusUploadView(_TusView):
    """One upload."""

    def head(self, request: Request, file_id: UUID) -> Response:
        """Return how much is durable. A request that was sending bytes until now is stopped."""
        upload = _find(request, file_id)
        state = uploads.state_of(upload) if upload.completed_at else appending.settle(upload)
        headers = {"Upload-Offset": str(state.received_bytes), "Upload-Length": str(upload.size)}
        if upload.client_metadata:
            headers["Upload-Metadata"] = upload.client_metadata
        return _answer(status.HTTP_200_OK, state, headers)

    def patch(self, request: Request, file_id: UUID) -> Response:
        """Take bytes from the offset on."""
        upload = _find(request, file_id)
        if request.content_type != protocol.OFFSET_TYPE:
            raise WrongTusContentType
        state = _append(request, upload, protocol.number("Upload-Offset", request.headers.get("Upload-Offset", "")))
        return _answer(status.HTTP_204_NO_CONTENT, state, {"Upload-Offset": str(state.received_bytes)})

    def delete(self, request: Request, file_id: UUID) -> Response:
        """Delete the upload, or the file that it became."""
        services.delete_upload(_find(request, file_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _find(request: Request, file_id: UUID) -> Upload:
    user = cast(User, request.user)
    try:
        upload = uploads.find(user, file_id)
    except FileNotFound:
        return uploads.finished(selectors.get_file(user, file_id))  # its row went some time after the last byte
    if not upload.by_offset:  # it belongs to the chunk API
        raise FileNotFound
    if upload.completed_at is not None:
        selectors.get_file(user, upload.file_id)  # what is in nobody's reach as a file is gone here too
    return upload


def _declared(request: Request) -> NewUpload:
    """Return what the headers of a creation say. Raises InvalidTusHeader."""
    for name, reason in _NOT_OFFERED.items():
        if name in request.headers:
            raise InvalidTusHeader(reason, header=name)
    header = request.headers.get("Upload-Metadata", "").strip()
    said = protocol.metadata(header)
    name = said.get("filename") or said.get("name") or ""
    tags = tuple(tag for tag in said.get("tags", "").split(",") if tag.strip())
    size = protocol.number("Upload-Length", request.headers.get("Upload-Length", ""))
    return NewUpload(name, size, tags=tags, by_offset=True, client_metadata=header)


def _require_fit(request: Request, left: int) -> None:
    """Refuse a body that is too long by its own account, before any of it is read."""
    length = protocol.number("Content-Length", request.headers.get("Content-Length") or "0")
    if length > left:
        raise UploadTooLong
    if "Upload-Checksum" in request.headers and length > appending.LARGEST_CHECKED:
        raise CheckedBodyTooLarge(limit=appending.LARGEST_CHECKED)


def _append(request: Request, upload: Upload, offset: int) -> UploadState:
    checksum = protocol.checksum(request.headers.get("Upload-Checksum", ""))
    if upload.completed_at is not None:
        if offset != upload.size:
            raise OffsetConflict(offset=upload.size)
        _require_fit(request, 0)
        return uploads.state_of(upload)  # an answer that got lost is given again
    claimed = appending.claim(upload, offset)
    _require_fit(request, claimed.size - offset)
    return appending.append(claimed, body_of(request._request), checksum)


def _first_bytes(request: Request, state: UploadState) -> UploadState:
    """Take the body of a creation. An upload whose address its client never learnt is deleted again."""
    try:
        return _append(request, state.upload, 0)
    except (OrchestraError, ConnectionError):
        services.delete_upload(state.upload)
        raise


def _answer(code: int, state: UploadState, headers: dict[str, str]) -> Response:
    if not state.complete:
        headers["Upload-Expires"] = protocol.http_date(state.upload.expires_at)
    return Response(status=code, headers=headers)
