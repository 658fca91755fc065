"""What calls of the API are refused with: by the product's errors, and by what stands around every view."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rest_framework import exceptions
from rest_framework_simplejwt.exceptions import InvalidToken

from orchestra.common.api_errors import error_body, hint_of
from orchestra.common.errors import OrchestraError

Kind = type[OrchestraError] | type[exceptions.APIException]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way in which a call is refused."""

    status: int
    code: str
    message: str
    hint: str
    passing: bool = False
    """Whether the same call may succeed later; the answer then says when, in Retry-After."""

    @property
    def example(self) -> dict[str, Any]:
        """The body of the answer."""
        return error_body(self.code, self.message, self.hint)


def refusal_of(kind: Kind) -> Refusal:
    """Return what an error of this kind says where nothing more exact is known."""
    if issubclass(kind, OrchestraError):
        return Refusal(kind.status, kind.code, kind.default_message, kind.default_hint, kind.transient)
    code, said = str(kind.default_code), str(kind.default_detail)
    if issubclass(kind, exceptions.ValidationError):
        said = "Some fields are not valid"
    sentence = re.sub(r' "\{\w+\}"', "", said).rstrip(".")
    return Refusal(kind.status_code, code, f"{sentence}.", hint_of(code, kind.status_code))


class NoActiveAccount(exceptions.AuthenticationFailed):
    """Describes what the library of the tokens says of a wrong password."""

    default_code = "no_active_account"
    default_detail = "No active account found with the given credentials"


_OF_THE_FRAMEWORK: tuple[Kind, ...] = (
    *(exceptions.ValidationError, exceptions.ParseError, exceptions.NotAuthenticated),
    *(exceptions.AuthenticationFailed, InvalidToken, NoActiveAccount, exceptions.PermissionDenied),
    *(exceptions.NotFound, exceptions.MethodNotAllowed, exceptions.NotAcceptable, exceptions.UnsupportedMediaType),
)
FRAMEWORK_REFUSALS = (
    *map(refusal_of, _OF_THE_FRAMEWORK),
    Refusal(400, "content_length_invalid", "Content-Length is not a number.", "Send the number of bytes."),
    Refusal(413, "request_too_large", "The request is too large.", "Send large files in chunks."),
)
"""Those that no class of the product's stands for, in the order of their statuses."""
