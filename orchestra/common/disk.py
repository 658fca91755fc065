"""Bytes on a disk: what a file holds, when it is safe there, and a disk that is full."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestra.common.errors import OrchestraError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Force a file, or the names in a directory, to disk, so that they survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def full_disk_as(error: type[OrchestraError]) -> Iterator[None]:
    """Turn the system's "no space" into an error for a person."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise error from exc
        raise
