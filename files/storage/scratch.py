"""Files of this process on this machine: what a request brings before it is stored, what a reader needs as a path."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from files.errors import DiskFull
from orchestra.common.identifiers import new_id


def scratch_dir() -> Path:
    """Return the directory for them: on the file system of the local storage, so that both fill up alike."""
    return made(Path(settings.UPLOAD_DIR) / "incoming")


@contextmanager
def scratch_file() -> Iterator[BinaryIO]:
    """Give a file without a name, gone at the end of the block or of the process. Raises DiskFull."""
    with disk_full_as_error(), tempfile.TemporaryFile(dir=scratch_dir()) as file:
        yield cast("BinaryIO", file)


@contextmanager
def scratch_path() -> Iterator[Path]:
    """Give a path for a file that is gone at the end of the block. Raises DiskFull."""
    # Named like a local upload under way: what a crash leaves is found and removed with those.
    path = scratch_dir() / f"{new_id()}.part"
    with disk_full_as_error():
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def disk_full_as_error() -> Iterator[None]:
    """Turn the system's "no space" into our DiskFull."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull from exc
        raise


def sync_directory(directory: Path) -> None:
    """Force a directory's entries to disk, so that a new name survives a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def made(directory: Path) -> Path:
    """Return `directory`, made for this account alone where it is missing."""
    for missing in (*reversed(directory.parents), directory):
        # One by one: mkdir(parents=True) gives the mode to the last one only.
        if not missing.exists():
            missing.mkdir(exist_ok=True, mode=0o700)
    return directory
