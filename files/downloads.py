"""Handing bytes out so that a browser never runs them: always an attachment, never sniffed, sandboxed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from django.http import FileResponse, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from files import storage
from files.errors import FileNotFound
from files.models import FileRecord, FileThumbnail
from orchestra.common.api_errors import error_body

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII | re.IGNORECASE)
_RANGE_HINT = "Ask for a range that begins inside the file, or leave the Range header out."
_PIECE = 256 * 1024

Response = TypeVar("Response", bound=HttpResponseBase)


def harmless(response: Response) -> Response:
    """Add the headers that keep a user's bytes from acting in our origin."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response


def respond(file: FileRecord, range_header: str) -> HttpResponseBase:
    """Return a file's bytes, or the one range asked for (206), or 416. Raises FileNotFound while bytes are missing."""
    path = storage.path_of(file.storage_key)
    if not file.storage_key or not path.is_file():
        raise FileNotFound("The file's bytes are not here (yet).")
    response = _ranged(path, file.size, range_header)
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name) or "attachment"
    return harmless(response)


def thumbnail(file: FileRecord) -> HttpResponse:
    """Return a file's small picture. Raises FileNotFound where it has none."""
    picture = FileThumbnail.objects.filter(file=file).first()
    if picture is None:
        raise FileNotFound("This file has no picture.")
    response = harmless(HttpResponse(bytes(picture.data), content_type=picture.media_type))
    response["Cache-Control"] = "private, max-age=300"
    return response


def _ranged(path: Path, size: int, header: str) -> HttpResponseBase:
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or _is_invalid(*match.groups()):
        return FileResponse(path.open("rb"), content_type="application/octet-stream")
    start, end = _bounds(match, size)
    if start > end or start >= size:
        body = error_body("range_not_satisfiable", f"The file has {size} bytes and none in this range.", _RANGE_HINT)
        return JsonResponse(body, status=416, headers={"Content-Range": f"bytes */{size}"})
    response = StreamingHttpResponse(
        _slice(path, start, end - start + 1), status=206, content_type="application/octet-stream"
    )
    response["Content-Range"] = f"bytes {start}-{end}/{size}"
    response["Content-Length"] = str(end - start + 1)
    return response


def _is_invalid(first: str, last: str) -> bool:
    """Say whether a range makes no sense in itself; RFC 9110 has such a header ignored."""
    return not (first or last) or bool(first and last and int(last) < int(first))


def _bounds(match: re.Match[str], size: int) -> tuple[int, int]:
    first, last = match.groups()
    if not first:  # bytes=-500: the last 500
        return max(0, size - int(last)), size - 1
    return int(first), min(size - 1, int(last) if last else size - 1)


def _slice(path: Path, start: int, count: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while count > 0 and (piece := stream.read(min(_PIECE, count))):
            count -= len(piece)
            yield piece
