"""Conditional requests: read a thing only when it changed, change it only when nobody else did.

A tag is `"VERSION.DIGEST"`. The version grows with every change of the thing; the digest is of all that is shown of it,
how far a job is and what the caller may do with it among that. So `If-None-Match` compares whole tags, and `If-Match`
the versions: what moves by itself keeps nobody from changing a name.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import ClassVar, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from orchestra.common.errors import OrchestraError

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_HEADER: Final = "header"

TAG = OpenApiParameter("ETag", OpenApiTypes.STR, _HEADER, response=[200], description="The tag of what is shown.")
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, _HEADER, description="A tag: answered by 304, without a body, while nothing changed."
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, _HEADER, description="A tag: answered by 412 when the thing was changed since. `*`: in any case."
)
NOT_CHANGED = {304: None}


class Changed(OrchestraError):
    """What is to be changed is not what the caller has read."""

    code: ClassVar[str] = "precondition_failed"
    status: ClassVar[int] = 412
    default_message: ClassVar[str] = "This was changed since you read it."
    default_hint: ClassVar[str] = "Read it again, and decide anew."


def tagged(request: Request, response: Response, version: str) -> Response:
    """Return the answer with its tag, or 304 where the caller has it already. Pages for people get no tag."""
    if getattr(request.accepted_renderer, "format", "") != "json":
        return response
    shown = json.dumps(response.data, cls=JSONEncoder, sort_keys=True).encode()
    tag = f'"{version}.{hashlib.sha256(shown).hexdigest()[:16]}"'
    response["ETag"] = tag
    if request.method in ("GET", "HEAD") and _has(request.headers.get("If-None-Match", ""), tag):
        kept = {name: response[name] for name in ("ETag", "Cache-Control") if name in response}
        return Response(status=status.HTTP_304_NOT_MODIFIED, headers=kept)
    return response


def allowed_versions(request: Request) -> frozenset[str] | None:
    """Return the versions that `If-Match` names; None where any will do."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    # A weak tag matches nothing here: RFC 9110, 13.1.1.
    return frozenset(tag.rpartition(".")[0] for weak, tag in _TAG.findall(header) if not weak)


def require_version(version: str, allowed: frozenset[str] | None) -> None:
    """Refuse to go on with a thing whose version is none of those. Raises Changed."""
    if allowed is not None and version not in allowed:
        raise Changed


def _has(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag.strip('"') in {found for _, found in _TAG.findall(header)}
