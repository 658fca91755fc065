"""Bytes on a disk of this machine: one sparse file per upload under way, renamed to its key when it is whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from files.errors import BytesMissing, DiskFull
from files.models import Upload
from files.storage.base import FileStorage, Stored, Whole, key_of
from files.storage.scratch import made, scratch_dir
from orchestra.common.disk import digest_of, full_disk_as, sync
from orchestra.common.identifiers import new_id
from orchestra.monitoring.checks import Outcome

# Kept free for the database, logs and temporary files on the same disk.
DISK_RESERVE = 256 * 1024**2
_COPY = 1024 * 1024
_LOW_SPACE = 2 * 1024**3


def part_path(upload_id: UUID) -> Path:
    """Return the sparse file that an upload's chunks are written into."""
    return scratch_dir() / f"{upload_id}.part"


def path_of(key: str) -> Path:
    """Return where a finished file lies."""
    return Path(settings.UPLOAD_DIR) / key


class LocalStorage(FileStorage):
    """Keeps bytes under UPLOAD_DIR. Web and worker must see the same directory."""

    def free_bytes(self) -> int:
        """Return what is free on the disk, less a reserve for everything else on it."""
        return max(0, shutil.disk_usage(scratch_dir()).free - DISK_RESERVE)

    def write(self, upload: Upload, offset: int, source: BinaryIO, count: int) -> None:
        """Copy into the sparse file and force it to disk."""
        path = part_path(upload.pk)
        created = not path.exists()
        source.seek(0)
        with full_disk_as(DiskFull), path.open("r+b" if not created else "x+b") as target:
            target.seek(offset)
            shutil.copyfileobj(source, target, _COPY)
            target.flush()
            os.fdatasync(target.fileno())
        if created:
            sync(path.parent)
        if path.stat().st_size < offset + count:
            raise DiskFull

    @contextmanager
    def whole(self, upload: Upload) -> Iterator[Whole]:
        """Give the sparse file, or where it went: a crash between move and commit leaves it at its key already."""
        part = part_path(upload.pk)
        if upload.size == 0:
            part.touch()
        path = part if part.exists() else path_of(key_of(upload.pk))
        yield Whole(path, digest_of(path))

    def digest_of_part(self, upload: Upload, offset: int, count: int) -> str | None:
        """Read the sparse file, or what it became: a crash between move and commit leaves it at its key already."""
        part, digest = part_path(upload.pk), hashlib.sha256()
        path = part if part.exists() else path_of(key_of(upload.pk))
        with suppress(FileNotFoundError), path.open("rb") as stream:
            stream.seek(offset)
            while count > 0 and (piece := stream.read(min(_COPY, count))):
                digest.update(piece)
                count -= len(piece)
        return digest.hexdigest()

    def keep(self, upload: Upload, key: str) -> None:
        """Move the sparse file to its key. A part that was moved already is left alone."""
        part, target = part_path(upload.pk), path_of(key)
        made(target.parent)
        if part.exists():
            part.replace(target)
        sync(target.parent)
        sync(part.parent)

    def discard(self, upload: Upload) -> None:
        """Delete the sparse file."""
        part_path(upload.pk).unlink(missing_ok=True)

    def forget(self, file_id: UUID) -> None:
        """Delete the sparse file and the finished one, whichever is there."""
        part_path(file_id).unlink(missing_ok=True)
        path_of(key_of(file_id)).unlink(missing_ok=True)

    def size_of(self, key: str) -> int | None:
        """Look at the disk."""
        path = path_of(key)
        return path.stat().st_size if path.is_file() else None

    def read(self, key: str, start: int, count: int) -> Iterator[bytes]:
        """Read from the disk."""
        with self.local(key) as path, path.open("rb") as stream:
            stream.seek(start)
            while count > 0 and (piece := stream.read(min(_COPY, count))):
                count -= len(piece)
                yield piece

    @contextmanager
    def local(self, key: str, sha256: str = "") -> Iterator[Path]:
        """Give the file itself; nothing is fetched, so nothing is compared."""
        path = path_of(key)
        if not path.is_file():
            raise BytesMissing
        yield path

    def put(self, key: str, source: Path) -> None:
        """Copy beside the target, force it to disk, rename."""
        target, draft = path_of(key), part_path(new_id())  # named as a part: what a crash leaves is found and removed
        made(target.parent)
        try:
            with full_disk_as(DiskFull), source.open("rb") as stream, draft.open("xb") as copy:
                shutil.copyfileobj(stream, copy, _COPY)
                copy.flush()
                os.fsync(copy.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        sync(target.parent)

    def stored_before(self, moment: float) -> Iterator[Stored]:
        """Look through the sparse files and the finished ones."""
        root = Path(settings.UPLOAD_DIR)
        for path in (*root.glob("incoming/*.part"), *root.glob("files/*/*")):
            with suppress(FileNotFoundError, ValueError):  # gone meanwhile; not named by us
                file_id = UUID(path.name.removesuffix(".part"))
                if path.stat().st_mtime < moment:
                    yield Stored(file_id, partial(path.unlink, missing_ok=True))

    def check(self) -> Outcome:
        """Write, sync and remove a file where uploads go, and look at the free space."""
        directory = settings.UPLOAD_DIR
        try:
            directory = scratch_dir()
            with tempfile.TemporaryFile(dir=directory) as probe:
                probe.write(b"orchestra")
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as exc:
            remedy = "Let this account write there, or set UPLOAD_DIR."
            return Outcome.failed(f"{directory} is not writable: {exc}", remedy)
        free = self.free_bytes()
        if free < _LOW_SPACE:
            remedy = "Free some space or move UPLOAD_DIR."
            return Outcome.failed(f"{free / 1024**3:.1f} GiB are left for uploads.", remedy)
        return Outcome.passed(f"{directory} is writable; {free / 1024**3:.1f} GiB are free.")
