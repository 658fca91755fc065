"""Requests that may be sent again: an Idempotency-Key names one, and the answer to it is kept for a day.

The thing that is made and the answer about it are one transaction, and who does the work holds a lock of that
transaction's. A process that dies takes both with it: nothing was made, and nothing stands in the way of the next try.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import connection
from django.db.models.functions import Now
from django.http import QueryDict
from django.utils.crypto import salted_hmac

from orchestra.accounts.models import IdempotentAnswer, User
from orchestra.common.errors import OrchestraError

KEPT_FOR = timedelta(hours=24)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyKeyInvalid(OrchestraError):
    """The key is no key."""

    code: ClassVar[str] = "idempotency_key_invalid"
    status: ClassVar[int] = 400
    default_message: ClassVar[str] = "The Idempotency-Key is not valid."
    default_hint: ClassVar[str] = "Send 1 to 255 visible ASCII characters, such as a UUID."


class IdempotencyKeyReused(OrchestraError):
    """The key came before, with another request."""

    code: ClassVar[str] = "idempotency_key_reused"
    status: ClassVar[int] = 422
    default_message: ClassVar[str] = "This Idempotency-Key belongs to another request."
    default_hint: ClassVar[str] = "Send a new key with each new request; the same one only with the very same body."


class IdempotencyKeyInProgress(OrchestraError):
    """The first request with the key is not answered yet."""

    code: ClassVar[str] = "idempotency_key_in_progress"
    status: ClassVar[int] = 409
    transient: ClassVar[bool] = True
    default_message: ClassVar[str] = "The request with this Idempotency-Key is not answered yet."
    default_hint: ClassVar[str] = "Send it again in a moment: it gets the same answer."

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class SecretShownBefore(OrchestraError):
    """The request was answered with a secret, which is kept nowhere. `details` has the id of what was made."""

    code: ClassVar[str] = "idempotency_secret_gone"
    status: ClassVar[int] = 409
    default_message: ClassVar[str] = "This was made by the first request, and its secret was in that answer alone."
    default_hint: ClassVar[str] = "If the answer was lost, delete what has the id in details and make another one."


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with a key: whose it is, for which address, and the digest of what it carries."""

    user: User
    address: str
    key: str
    digest: str

    @property
    def key_digest(self) -> str:
        """What is stored of the key."""
        return _keyed(self.key)

    @property
    def lock(self) -> int:
        """The number of the request's lock, a signed one of 64 bits."""
        name = f"{self.user.pk}\0{self.address}\0{self.key}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def asked(user: User, address: str, key: str, data: Any) -> Asked:
    """Return a request with a key. Raises IdempotencyKeyInvalid."""
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    return Asked(user, address, key, _digest(data))


def claim(request: Asked) -> IdempotentAnswer | None:
    """Take the request's lock until the transaction ends; return the answer to it if there is one.

    Raises IdempotencyKeyInProgress, IdempotencyKeyReused, and SecretShownBefore for an answer that was not kept.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [request.lock])
        if not cursor.fetchone()[0]:
            raise IdempotencyKeyInProgress
    rows = IdempotentAnswer.objects.filter(user=request.user, address=request.address, key=request.key_digest)
    rows.filter(created_at__lte=Now() - KEPT_FOR).delete()
    kept = rows.first()
    if kept is None:
        return None
    if kept.request != request.digest:
        raise IdempotencyKeyReused
    if kept.body is None:
        raise SecretShownBefore(id=str(kept.made))
    return kept


def keep(request: Asked, status: int, body: dict[str, Any], *, secret: bool) -> None:
    """Keep the answer to a request; of one that holds a secret, only what was made."""
    IdempotentAnswer.objects.create(
        user=request.user,
        address=request.address,
        key=request.key_digest,
        request=request.digest,
        status=status,
        made=UUID(str(body["id"])),
        body=None if secret else body,
    )


def forget_old() -> int:
    """Delete answers that are older than a day; return how many."""
    return IdempotentAnswer.objects.filter(created_at__lte=Now() - KEPT_FOR).delete()[0]


def _digest(data: Any) -> str:
    """Return a digest of a request's values: another boundary, or another order of the fields, makes no other one."""
    if isinstance(data, QueryDict):
        data = {name: [_plain(one) for one in data.getlist(name)] for name in data}
    return _keyed(json.dumps(data, sort_keys=True))


def _keyed(text: str) -> str:
    """Return a digest that nobody can compare guesses with who has the table alone: a request may hold a secret."""
    return salted_hmac("orchestra.accounts.idempotency", text, algorithm="sha256").hexdigest()


def _plain(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for piece in value.chunks():
        digest.update(piece)
    value.seek(0)
    return [value.name, digest.hexdigest()]
