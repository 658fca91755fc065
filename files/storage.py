"""Where bytes are: parts of uploads under way, and finished files under keys that no user chooses."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from files.errors import DiskFull

# Kept free for the database, logs and temporary files on the same disk.
DISK_RESERVE = 256 * 1024**2
_COPY = 1024 * 1024


def incoming_dir() -> Path:
    """Return the directory of uploads under way, on the same file system as finished files."""
    return _made(Path(settings.UPLOAD_DIR) / "incoming")


def part_path(upload_id: UUID) -> Path:
    """Return the sparse file that an upload's chunks are written into."""
    return incoming_dir() / f"{upload_id}.part"


def key_of(file_id: UUID) -> str:
    """Return the storage key of a finished file: its id, spread over 256 folders."""
    return f"files/{file_id.hex[-2:]}/{file_id}"


def path_of(key: str) -> Path:
    """Return where a finished file lies."""
    return Path(settings.UPLOAD_DIR) / key


def free_bytes() -> int:
    """Return the bytes that uploads may still use on the disk."""
    return max(0, shutil.disk_usage(incoming_dir()).free - DISK_RESERVE)


def keep(part: Path, key: str) -> None:
    """Move a complete part to its key, durably. Repeatable: a part that was moved already is left alone."""
    target = path_of(key)
    _made(target.parent)
    if part.exists():
        part.replace(target)
    sync_directory(target.parent)
    sync_directory(part.parent)


def remove(path: Path) -> None:
    """Delete a part or a finished file, if it is there."""
    path.unlink(missing_ok=True)


def forget(file_id: UUID) -> None:
    """Delete every byte of a file, finished or under way."""
    remove(part_path(file_id))
    remove(path_of(key_of(file_id)))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of_part(path: Path, offset: int, count: int) -> str:
    """Return the SHA-256 in hex of `count` bytes from `offset`, or of those that there are."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        stream.seek(offset)
        while count > 0 and (piece := stream.read(min(_COPY, count))):
            digest.update(piece)
            count -= len(piece)
    return digest.hexdigest()


def write_at(path: Path, offset: int, source: BinaryIO, count: int) -> None:
    """Copy `count` bytes from the start of `source` to `path` at `offset` and force them to disk.

    Raises DiskFull; then the file may hold some of the bytes, which nobody has been told about.
    """
    created = not path.exists()
    source.seek(0)
    with disk_full_as_error(), path.open("r+b" if not created else "x+b") as target:
        target.seek(offset)
        shutil.copyfileobj(source, target, _COPY)
        target.flush()
        os.fdatasync(target.fileno())
    if created:
        sync_directory(path.parent)
    if path.stat().st_size < offset + count:
        raise DiskFull


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


def _made(directory: Path) -> Path:
    for missing in (*reversed(directory.parents), directory):
        # One by one: mkdir(parents=True) gives the mode to the last one only.
        if not missing.exists():
            missing.mkdir(exist_ok=True, mode=0o700)
    return directory


def stored_before(moment: float) -> Iterator[Path]:
    """Yield parts and finished files last written before `moment` (seconds of the epoch)."""
    root = Path(settings.UPLOAD_DIR)
    for path in (*root.glob("incoming/*.part"), *root.glob("files/*/*")):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < moment:
                yield path
