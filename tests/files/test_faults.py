"""Which exceptions are the file's fault."""

from __future__ import annotations

import errno

import pytest
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerAway
from redis.exceptions import ConnectionError as RedisAway

from files.extraction.errors import SandboxUnavailable, TimeLimit
from files.faults import as_product_error


@pytest.mark.parametrize(
    ("error", "code", "innocent"),
    [
        (OperationalError("terminating connection"), "database_away", True),
        (InterfaceError("connection already closed"), "database_away", True),
        (BrokerAway("refused"), "connection_lost", True),
        (RedisAway("refused"), "connection_lost", True),
        (ConnectionResetError("reset"), "connection_lost", True),
        (TimeoutError("slow"), "connection_lost", True),
        (OSError(errno.ENOSPC, "no space"), "no_room_to_work", True),
        (OSError(errno.EMFILE, "too many open files"), "no_room_to_work", True),
        (SandboxUnavailable(), "sandbox_unavailable", True),
        (TimeLimit(), TimeLimit.code, False),
        (FileNotFoundError(errno.ENOENT, "gone"), "internal_error", False),
        (ValueError("secret"), "internal_error", False),
    ],
)
def test_an_exception_is_told_and_the_file_is_blamed_only_for_its_own(
    error: Exception, code: str, innocent: bool
) -> None:
    known = as_product_error(error)
    assert (known.code, known.transient) == (code, innocent)
    assert "secret" not in known.message + known.hint
    assert known.message
