"""Credentials, and keys of second factors, as they lie in the database: sealed, and bound to their row.

AES-256-GCM under a key of their own.

`settings.CREDENTIALS_KEYS` holds secrets; the first one seals, all of them open. The id of the row is authenticated
with what is sealed, so that a sealed value that was copied to another row, to be used there, does not open.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from orchestra.common.errors import CredentialsUnreadable

_VERSION = b"\x01"
_ID_BYTES = 4
_NONCE_BYTES = 12
_PURPOSE = b"orchestra credentials 1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Names and secrets of a connection; neither repr nor str shows a secret."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)


def seal(credentials: Credentials, row: UUID) -> bytes:
    """Return the credentials sealed for this row, under the first key; b"" where there are none."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not credentials.values:
        return b""
    key, nonce = _keys()[0], os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, json.dumps(dict(credentials.values)).encode(), _bound_to(row))
    return _VERSION + _id_of(key) + nonce + sealed


def unseal(sealed: bytes, row: UUID) -> Credentials:
    """Return what `seal` was given for the same row. Raises CredentialsUnreadable."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not sealed:
        return Credentials()
    head = len(_VERSION) + _ID_BYTES
    nonce, rest = sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :]
    for key in _keys():
        if sealed[:head] == _VERSION + _id_of(key):
            try:
                return Credentials(json.loads(AESGCM(key).decrypt(nonce, rest, _bound_to(row))))
            except (InvalidTag, ValueError) as exc:
                raise CredentialsUnreadable from exc
    raise CredentialsUnreadable


def is_current(sealed: bytes) -> bool:
    """Tell whether the first key sealed this."""
    return not sealed or sealed.startswith(_VERSION + _id_of(_keys()[0]))


def _keys() -> list[bytes]:
    # One hash is enough: these are long random secrets, which no dictionary has.
    return [hashlib.sha256(_PURPOSE + secret.encode()).digest() for secret in settings.CREDENTIALS_KEYS]


def _id_of(key: bytes) -> bytes:
    """Return what tells which key it was, and nothing about it."""
    return hashlib.sha256(b"id" + key).digest()[:_ID_BYTES]


def _bound_to(row: UUID) -> bytes:
    return _PURPOSE + row.bytes
