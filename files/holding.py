"""Keeps bytes where they are while a backup copies them.

A backup holds a lock of the database alone; whoever deletes bytes shares it, and leaves them where it is not to be
had. The rows go in any case, and bytes without a row are removed later (`files.uploads.expire`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_BYTES = 0x0E5BACE7  # any numbers that nothing else locks
_BACKUP = 0x0E5BACE8


@contextmanager
def bytes_held() -> Iterator[bool]:
    """Let no bytes be deleted while the block lasts; give False, and hold nothing, where another backup does.

    Waits for deletions that have begun. The locks are the connection's: they end with a process that is killed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_BACKUP])
        (alone,) = cursor.fetchone()
        if alone:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_BYTES])
        try:
            yield bool(alone)
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s), pg_advisory_unlock(%s)", [_BYTES, _BACKUP])


def unless_held(delete: Callable[[], None]) -> bool:
    """Delete bytes unless a backup holds them; return whether it was done."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", [_BYTES])
        (allowed,) = cursor.fetchone()
        if allowed:
            delete()
    return bool(allowed)
