"""`Idempotency-Key` on the calls that make something."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from orchestra.accounts import idempotency
from orchestra.accounts.models import User
from orchestra.common.openapi import raises

Handler = TypeVar("Handler", bound=Callable[..., Response])

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_PARAMETERS = [
    OpenApiParameter(
        HEADER,
        {"type": "string", "pattern": r"^[!-~]{1,255}$"},
        OpenApiParameter.HEADER,
        description="A name of the client's for this request. Within 24 hours the same request with the same key makes "
        "nothing again.",
    ),
    OpenApiParameter(
        REPLAYED,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        response=[200, 201],
        description="`true` where this is the answer to an earlier request with the same Idempotency-Key.",
    ),
]
_SECRET = [_PARAMETERS[0]]
_REFUSED = (
    idempotency.IdempotencyKeyInvalid,
    idempotency.IdempotencyKeyReused,
    idempotency.IdempotencyKeyInProgress,
)
_REFUSED_WITH_SECRET = (*_REFUSED, idempotency.SecretShownBefore)


def idempotent(*, secret: bool = False) -> Callable[[Handler], Handler]:
    """Let a method's call be sent again under a key. With `secret` its answer is not kept, and not given again."""

    def wrap(handler: Handler) -> Handler:
        @wraps(handler)
        def answered(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                return handler(view, request, *args, **kwargs)
            asked = idempotency.asked(cast(User, request.user), request.path, key, request.data)
            with transaction.atomic():
                if kept := idempotency.claim(asked):
                    headers = {REPLAYED: "true", "Cache-Control": "no-store"}
                    return Response(kept.body, status=kept.status, headers=headers)
                response = handler(view, request, *args, **kwargs)
                if status.is_success(response.status_code):
                    idempotency.keep(asked, response.status_code, response.data, secret=secret)
            return response

        kinds = _REFUSED_WITH_SECRET if secret else _REFUSED
        described = extend_schema(parameters=_SECRET if secret else _PARAMETERS)(raises(*kinds)(answered))
        return cast(Handler, described)

    return wrap
