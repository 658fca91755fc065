"""How the API describes itself: a summary, the errors with their codes, and the headers of every call.

A view says by `raises` what its methods refuse; what REST framework refuses by itself is found from the view. Examples
are put in when the whole document is there, by `orchestra.api_examples`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import exceptions
from rest_framework.fields import CharField
from rest_framework.permissions import IsAdminUser
from rest_framework_simplejwt.exceptions import InvalidToken

from orchestra.common.errors import DatabaseAway, OrchestraError
from orchestra.common.refusals import Kind, Refusal, refusal_of

Handler = TypeVar("Handler", bound=Callable[..., Any])

_Component: Any = ResolvedComponent  # which has no types
_SAFE = ("GET", "HEAD", "OPTIONS")
_PROBLEM = "Error"
EVENT = {
    "type": "object",
    "description": "One event of the stream: its lines `event` and `data`.",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["step", "answer", "citations", "result", "error"]},
        "data": {"type": "string", "description": "One line of JSON."},
    },
}
_REFUSED_EVENT = {"event": "error", "data": '{"error": {"code": "…", "message": "…", "hint": "…", "details": {}}}'}
_STREAMED = {"schema": EVENT, "examples": {"error": {"value": _REFUSED_EVENT}}}
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait before the next try."}}
_RATE_LIMIT = {
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": 'What is limited, how often (`q`) and in how many seconds (`w`): `"sign-in";q=10;w=600`.',
    },
    "RateLimit": {
        "schema": {"type": "string"},
        "description": 'What is left (`r`) and in how many seconds there is more (`t`): `"sign-in";r=0;t=60`.',
    },
}
# What Python strips is more than a regular expression of other languages calls white space.
_NOT_BLANK = r"[^\s\x1c-\x1f\x85]"
_CHALLENGE = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "How to say who calls."}}
_HEADERS: dict[int, dict[str, Any]] = {401: _CHALLENGE, 429: _RATE_LIMIT}

_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "The one shape of every error.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint", "details"],
            "properties": {
                "code": {"type": "string", "description": "Stable, for programs: docs/reference/error-codes.md."},
                "message": {"type": "string", "description": "A sentence for people."},
                "hint": {"type": "string", "description": "What to do; may be empty."},
                "details": {
                    "type": "object",
                    "additionalProperties": {},
                    "description": "Facts; fields that are wrong.",
                },
            },
        }
    },
}


def raises(*kinds: Kind) -> Callable[[Handler], Handler]:
    """Say which errors a view's method answers with, beside those that REST framework has for every call."""

    def note(handler: Handler) -> Handler:
        handler.raises = (*getattr(handler, "raises", ()), *kinds)  # type: ignore[attr-defined]  # a mark
        return handler

    return note


class OnceGenerator(SchemaGenerator):
    """Makes the document once for all who ask a process for it: that takes more than a second, and anybody may ask."""

    _made: ClassVar[dict[str, Any]] = {}

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        """Return the document; for a command or a test, which have no request, a new one."""
        if request is None or not public:
            return super().get_schema(request, public)  # type: ignore[no-untyped-call]
        if not self._made:
            self._made.update(super().get_schema(request, public))  # type: ignore[no-untyped-call]
        return self._made


class ApiSchema(AutoSchema):
    """Describes one call."""

    def get_summary(self) -> str:
        """Return the first sentence of what the method says of itself."""
        text = " ".join(self.get_description().split("\n\n")[0].split())
        return text.split(". ")[0].rstrip(".")

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        """Return a field's shape; of text that may not be blank it says so."""
        shape: Any = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        not_blank = isinstance(field, CharField) and field.trim_whitespace and not field.allow_blank
        if not_blank and direction == "request" and shape and not {"$ref", "pattern"} & set(shape):
            return {**shape, "pattern": _NOT_BLANK}
        return shape

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        by_status: dict[int, list[Refusal]] = {}
        for one in dict.fromkeys(map(refusal_of, self._kinds())):
            by_status.setdefault(one.status, []).append(one)
        for status in sorted(by_status):
            if str(status) not in responses:  # health says by itself what its 503 means
                responses[str(status)] = self._answer(status, by_status[status])
        return responses

    def _kinds(self) -> Iterator[Kind]:
        """Yield what the call may be refused with: by REST framework, by the database, by the view itself."""
        handler = getattr(self.view, self.method.lower())
        yield from getattr(handler, "raises", ())
        yield from (exceptions.NotAcceptable, OrchestraError, DatabaseAway)
        if self.view.get_authenticators():
            yield from (exceptions.NotAuthenticated, exceptions.AuthenticationFailed, InvalidToken)
            if self.method not in _SAFE or any(isinstance(one, IsAdminUser) for one in self.view.get_permissions()):
                yield exceptions.PermissionDenied  # a session without its CSRF token, or who is no staff
        if media_types := self._get_request_body_media_types():
            yield exceptions.UnsupportedMediaType
            if "application/json" in media_types:
                yield from (exceptions.ParseError, exceptions.ValidationError)

    def _get_request_body_media_types(self) -> list[str]:
        body = self._get_request_body()  # type: ignore[no-untyped-call]
        return list(body["content"]) if body else []

    def _answer(self, status: int, refusals: list[Refusal]) -> dict[str, Any]:
        """Return a reference to the description of an answer, which calls with the same errors share."""
        codes = sorted({one.code for one in refusals})
        streamed = [kind for kind in self.map_renderers("media_type") if kind != "application/json"]
        name = "_".join((f"Error{status}", *codes, *(["streamed"] if streamed else [])))
        answer = self._described(status, refusals, codes)
        answer["content"] |= dict.fromkeys(streamed, _STREAMED)
        return self._shared(_Component(name, ResolvedComponent.RESPONSE, answer, name))

    def _shared(self, component: Any) -> dict[str, Any]:
        self.registry.register_on_missing(component)
        reference: dict[str, Any] = component.ref
        return reference

    def _described(self, status: int, refusals: list[Refusal], codes: list[str]) -> dict[str, Any]:
        problem = _Component(_PROBLEM, ResolvedComponent.SCHEMA, _PROBLEM_SCHEMA, _PROBLEM)
        content: dict[str, Any] = {"schema": self._shared(problem), "examples": {}}
        for one in refusals:
            content["examples"].setdefault(one.code, {"summary": one.message, "value": one.example})
        said = ", ".join(f"`{code}`" for code in codes)
        answer: dict[str, Any] = {"description": said, "content": {"application/json": content}}
        waits = _RETRY_AFTER if any(one.passing for one in refusals) else {}
        if headers := _HEADERS.get(status, {}) | waits:
            answer["headers"] = headers
        return answer
