"""The folder of backups: bytes once each by their digest, shared by all backups, and one folder per backup.

objects/ab/abcdef…      the bytes of files, named by their SHA-256
backups/20261127T…/     one complete backup: manifest.json, tables/, files.jsonl.gz, secrets/
backups/….unfinished/   one that is being written, or was given up
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from orchestra.backup.errors import BackupBusy, BackupDamaged, BackupDiskFull, BackupFolderInvalid
from orchestra.backup.manifest import Manifest, Part
from orchestra.common.disk import digest_of, full_disk_as, sync

PIECE = 1024 * 1024
_MARK = "orchestra-backups"
_UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as a backup lists it. `owner` is the owner's id; its bytes were in `storage` under `key`."""

    id: str
    owner: str
    name: str
    storage: str
    key: str
    size: int
    sha256: str


class Folder:
    """A folder of backups. `open` makes it or finds it; `hold` keeps others out of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = root / "objects"
        self.backups = root / "backups"

    @classmethod
    def made(cls, root: Path) -> Folder:
        """Return the folder, made if it is not there. Raises BackupFolderInvalid for one that holds something else."""
        folder = cls(root)
        with full_disk_as(BackupDiskFull):
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (root / _MARK).is_file():
                if any(root.iterdir()):
                    raise BackupFolderInvalid(f"{root} holds something else.", hint="Name an empty or a new folder.")
                (root / _MARK).write_text("Backups of Orchestra. See docs/operations.md.\n")
            for directory in (folder.objects, folder.backups):
                directory.mkdir(exist_ok=True, mode=0o700)
        return folder

    @classmethod
    def found(cls, root: Path) -> Folder:
        """Return the folder. Raises BackupFolderInvalid unless it is one of backups."""
        if not (root / _MARK).is_file():
            raise BackupFolderInvalid(f"{root} is no folder of backups.")
        return cls(root)

    @contextmanager
    def hold(self, *, alone: bool = True) -> Iterator[None]:
        """Keep others from writing here, and, with `alone`, from reading. Raises BackupBusy."""
        descriptor = os.open(self.root / _MARK, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            yield
        except BlockingIOError as exc:
            raise BackupBusy from exc
        finally:
            os.close(descriptor)

    def complete(self) -> list[str]:
        """Return the ids of the complete backups, oldest first."""
        return sorted(path.name for path in self.backups.iterdir() if path.is_dir() and "." not in path.name)

    def chosen(self, id: str = "") -> Path:  # noqa: A002  # as the command calls it
        """Return the folder of a backup: the one named, or the newest. Raises BackupFolderInvalid."""
        known = self.complete()
        if not known or (id and id not in known):
            there = f"There are: {', '.join(known)}." if known else "There is no complete backup."
            raise BackupFolderInvalid(f"{self.root} has no complete backup {id}.".replace(" .", "."), hint=there)
        return self.backups / (id or known[-1])

    def begin(self, id: str) -> Path:  # noqa: A002
        """Return the new folder of a backup to be written; what was given up before is removed."""
        self._remove_unfinished()
        folder = self.backups / f"{id}{_UNFINISHED}"
        for directory in (folder, folder / "tables", folder / "secrets"):
            directory.mkdir(mode=0o700)
        return folder

    def finish(self, folder: Path) -> Path:
        """Give a backup, whose manifest is written, its name: from now on it is one."""
        for path in (*folder.rglob("*"), folder):
            sync(path)
        target = folder.with_name(folder.name.removesuffix(_UNFINISHED))
        folder.rename(target)
        sync(self.backups)
        return target

    def prune(self, keep: int) -> int:
        """Remove all but the newest `keep` backups, and the bytes that none of these names. Return how many went."""
        gone = self.complete()[:-keep]
        for name in gone:
            # First out of the list, then away: a removal that is interrupted leaves no half backup.
            (self.backups / name).rename(self.backups / f"{name}{_UNFINISHED}")
        self._remove_unfinished()
        named = {bytes.fromhex(one.sha256) for name in self.complete() for one in self.files(self.backups / name)}
        for path in self.objects.glob("*/*"):
            if len(path.name) != 64 or bytes.fromhex(path.name) not in named:
                path.unlink()
        return len(gone)

    def object_path(self, sha256: str) -> Path:
        """Return where bytes of this digest lie, or would."""
        return self.objects / sha256[:2] / sha256

    def has_object(self, sha256: str, size: int) -> bool:
        """Say whether bytes of this digest are here; they were compared when they came."""
        path = self.object_path(sha256)
        return path.is_file() and path.stat().st_size == size

    def files(self, backup: Path) -> Iterator[Stored]:
        """Yield the files that a backup lists. Raises BackupDamaged."""
        path = backup / "files.jsonl.gz"
        try:
            with opened(path) as stream:
                for line in stream:
                    yield Stored(**json.loads(line))
        except (OSError, EOFError, zlib.error, ValueError, TypeError) as exc:
            raise BackupDamaged(f"{path} is damaged: nothing tells which bytes belong to which file.") from exc

    def _remove_unfinished(self) -> None:
        for path in self.backups.glob(f"*{_UNFINISHED}"):
            shutil.rmtree(path)


class Writer:
    """Writes one part: counts and digests what goes to the disk, compressed where the name ends in `.gz`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self._file = (folder / name).open("xb", buffering=PIECE)
        self._digest = hashlib.sha256()
        self._size = 0
        # Level 1: what is slow here is the disk and the processor together. 31: with gzip's header.
        self._compressor = zlib.compressobj(1, zlib.DEFLATED, 31) if name.endswith(".gz") else None

    def write(self, data: Any) -> None:
        """Append `data`, any buffer of bytes. Raises BackupDiskFull."""
        self._put(self._compressor.compress(data) if self._compressor else data)

    def close(self) -> Part:
        """Force all to disk and return what the part is."""
        if self._compressor:
            self._put(self._compressor.flush())
        with full_disk_as(BackupDiskFull), self._file as file:
            file.flush()
            os.fsync(file.fileno())
        return Part(self._name, self._digest.hexdigest(), self._size)

    def _put(self, data: Any) -> None:
        self._digest.update(data)
        self._size += len(data)
        with full_disk_as(BackupDiskFull):
            self._file.write(data)


class Draft:
    """A file that is being written. Without `keep` nothing of it stays."""

    def __init__(self, stream: IO[bytes], target: Path) -> None:
        self.stream = stream
        self._target = target

    def keep(self) -> None:
        """Give it its name, durably."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        Path(self.stream.name).replace(self._target)
        sync(self._target.parent)


@contextmanager
def draft_of(target: Path) -> Iterator[Draft]:
    """Give a file to write beside `target`, whose name it may take."""
    target.parent.mkdir(exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".draft-", delete=False) as stream:
        try:
            yield Draft(stream, target)
        finally:
            Path(stream.name).unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a part to read what was written into it."""
    import gzip

    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        yield stream  # type: ignore[misc]  # both read bytes


def check_part(backup: Path, part: Part, lost: str) -> None:
    """Raise BackupDamaged unless a part is what it was when it was written; say what is lost."""
    path = backup / part.name
    try:
        if path.stat().st_size == part.size and digest_of(path) == part.sha256:
            return
        state = "is damaged"
    except FileNotFoundError:
        state = "is missing"
    except OSError as exc:
        state = f"cannot be read ({exc.strerror})"
    raise BackupDamaged(f"{path} {state}. Lost with it: {lost}.", part=part.name)


def check_parts(backup: Path, manifest: Manifest) -> Iterator[BackupDamaged]:
    """Compare every part of a backup with its digest; yield what is damaged."""
    for part, lost in manifest.parts():
        try:
            check_part(backup, part, lost)
        except BackupDamaged as exc:
            yield exc
