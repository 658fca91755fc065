"""Handing bytes out so that a browser never runs them: always an attachment, never sniffed, sandboxed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import TypeVar, cast

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from files import storage
from files.errors import FileNotFound, RangeNotSatisfiable
from files.models import FileRecord, FileThumbnail
from files.previews import may_be_shown
from orchestra.common.api_errors import error_body

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII | re.IGNORECASE)

Response = TypeVar("Response", bound=HttpResponseBase)


def harmless(response: Response) -> Response:
    """Add the headers that keep a user's bytes from acting in our origin."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response


class _Streamed(StreamingHttpResponse):
    """Pieces as the connection takes them. Django's own reads all of them into a list first when served by ASGI."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(cast("Iterator[bytes]", self.streaming_content))
        # A thread for each piece: reading waits for a disk or a network.
        while piece := await sync_to_async(_next, thread_sensitive=False)(pieces):
            yield piece


def _next(pieces: Iterator[bytes]) -> bytes:
    """Return the next piece, none of which is empty; empty at the end."""
    return next(pieces, b"")


def respond(file: FileRecord, range_header: str) -> HttpResponseBase:
    """Return a file's bytes, or the one range asked for (206), or 416. Raises FileNotFound while bytes are missing."""
    if not file.storage_key or storage.storage_of(file).size_of(file.storage_key) is None:
        raise FileNotFound("The file's bytes are not here (yet).")
    response = _ranged(file, range_header)
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name) or "attachment"
    return harmless(response)


def shown(file: FileRecord, range_header: str) -> HttpResponseBase:
    """Return a picture's, sound's or film's bytes for a page to show. Raises FileNotFound for every other type.

    The type is the one that was found by content. What is no such thing after all stays inert: it is never sniffed,
    and a document of these bytes would stand in a sandbox where nothing may load or run.
    """
    if not may_be_shown(file):
        raise FileNotFound("This file cannot be shown in a page.")
    response = respond(file, range_header)
    if response.status_code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        response["Content-Type"] = file.media_type
        response["Content-Disposition"] = "inline"
    return response


def thumbnail(file: FileRecord) -> HttpResponse:
    """Return a file's small picture. Raises FileNotFound where it has none."""
    picture = FileThumbnail.objects.filter(file=file).first()
    if picture is None:
        raise FileNotFound("This file has no picture.")
    response = harmless(HttpResponse(bytes(picture.data), content_type=picture.media_type))
    response["Cache-Control"] = "private, max-age=300"
    return response


def _ranged(file: FileRecord, header: str) -> HttpResponseBase:
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or _is_invalid(*match.groups()):
        return _streamed(file, 0, file.size)
    start, end = _bounds(match, file.size)
    if start > end or start >= file.size:
        error = RangeNotSatisfiable(f"The file has {file.size} bytes and none in this range.")
        body = error_body(error.code, error.message, error.hint)
        return JsonResponse(body, status=error.status, headers={"Content-Range": f"bytes */{file.size}"})
    response = _streamed(file, start, end - start + 1)
    response.status_code = 206
    response["Content-Range"] = f"bytes {start}-{end}/{file.size}"
    return response


def _streamed(file: FileRecord, start: int, count: int) -> _Streamed:
    pieces = storage.storage_of(file).read(file.storage_key, start, count)
    response = _Streamed(pieces, content_type="application/octet-stream")
    response["Content-Length"] = str(count)
    return response


def _is_invalid(first: str, last: str) -> bool:
    """Say whether a range makes no sense in itself; RFC 9110 has such a header ignored."""
    return not (first or last) or bool(first and last and int(last) < int(first))


def _bounds(match: re.Match[str], size: int) -> tuple[int, int]:
    first, last = match.groups()
    if not first:  # bytes=-500: the last 500
        return max(0, size - int(last)), size - 1
    return int(first), min(size - 1, int(last) if last else size - 1)
