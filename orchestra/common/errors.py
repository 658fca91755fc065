"""The root of every error that a user can meet.

Each error carries a stable code, a plain sentence and a hint on what to do. The API, the pages, the socket and the
commands all render these three; see `orchestra.common.api_errors` for the JSON shape. Imports nothing but the
standard library, so that code without Django (extraction, chunking) can raise it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class OrchestraError(Exception):
    """Root of the product's errors.

    `code` is stable and machine-readable, `status` the HTTP status it maps to, `message` a sentence for a person,
    `hint` what that person can do, `details` JSON-serialisable facts.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    default_message: ClassVar[str] = "Something went wrong on our side."
    default_hint: ClassVar[str] = ""
    transient: ClassVar[bool] = False
    """Whether the same call may succeed later without anybody changing anything."""

    def __init__(self, message: str = "", *, hint: str = "", **details: object) -> None:
        self.message = message or self.default_message
        self.hint = hint or self.default_hint
        self.details = details
        super().__init__(self.message)


def kind_of_error(code: str) -> type[OrchestraError] | None:
    """Return the error of which only the code was kept, so that a page can say what to do; None for an unknown one."""
    return next((kind for kind in _kinds(OrchestraError) if kind.code == code), None)


def _kinds(kind: type[OrchestraError]) -> Iterator[type[OrchestraError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


class DatabaseAway(OrchestraError):
    """PostgreSQL does not answer, or ended the connection: a restart, mostly."""

    code = "database_away"
    status = 503
    default_message = "The database does not answer at the moment."
    default_hint = "Try again in some seconds. If it stays so, `manage.py doctor` says more."
    transient = True


class CredentialsUnreadable(OrchestraError):
    """What is stored was sealed with a key that is not here, for another row, or was changed."""

    code = "credentials_unreadable"
    status = 409
    default_message = "The stored credentials cannot be read."
    default_hint = "Enter them again, or give the key that they were stored with in CREDENTIALS_KEYS."
