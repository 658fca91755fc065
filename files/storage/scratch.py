"""Files of this process on this machine: what a request brings before it is stored, what a reader needs as a path."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from files.errors import DiskFull
from orchestra.common.disk import full_disk_as
from orchestra.common.identifiers import new_id


def scratch_dir() -> Path:
    """Return the directory for them: on the file system of the local storage, so that both fill up alike."""
    return made(Path(settings.UPLOAD_DIR) / "incoming")


@contextmanager
def scratch_file() -> Iterator[BinaryIO]:
    """Give a file without a name, gone at the end of the block or of the process. Raises DiskFull."""
    with full_disk_as(DiskFull), tempfile.TemporaryFile(dir=scratch_dir()) as file:
        yield cast("BinaryIO", file)


@contextmanager
def scratch_path() -> Iterator[Path]:
    """Give a path for a file that is gone at the end of the block. Raises DiskFull."""
    # Named like a local upload under way: what a crash leaves is found and removed with those.
    path = scratch_dir() / f"{new_id()}.part"
    with full_disk_as(DiskFull):
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def made(directory: Path) -> Path:
    """Return `directory`, made for this account alone where it is missing."""
    for missing in (*reversed(directory.parents), directory):
        # One by one: mkdir(parents=True) gives the mode to the last one only.
        if not missing.exists():
            missing.mkdir(exist_ok=True, mode=0o700)
    return directory
