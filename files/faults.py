"""Which exceptions say nothing about the file: the same work may succeed later without anybody changing anything.

`files.pipeline` asks here what an attempt that broke is to be taken for.
"""

from __future__ import annotations

import errno

from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerAway
from redis.exceptions import RedisError

from files.errors import ConnectionLost, NoRoomToWork
from orchestra.common.errors import DatabaseAway, OrchestraError

DATABASE_AWAY = (OperationalError, InterfaceError)
_AWAY = (BrokerAway, RedisError, ConnectionError, TimeoutError)
_FULL = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO, errno.ESTALE}
)


def as_product_error(error: Exception) -> OrchestraError:
    """Return what a person is told about an exception of a stage; its `transient` says whether the file is innocent."""
    if isinstance(error, OrchestraError):
        return error
    if isinstance(error, DATABASE_AWAY):
        return DatabaseAway()
    if isinstance(error, _AWAY):
        return ConnectionLost()
    if isinstance(error, OSError) and error.errno in _FULL:
        return NoRoomToWork()
    return OrchestraError(hint="Try again; the log says more.")
