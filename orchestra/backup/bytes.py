"""Bytes of files out of the product's storages and back, compared by digest on the way."""

from __future__ import annotations

import hashlib
from pathlib import Path

from files.errors import BytesDamaged, BytesMissing
from files.storage import FileStorage, file_storages
from orchestra.backup.errors import BackupDamaged
from orchestra.backup.folder import Stored, draft_of
from orchestra.common.disk import digest_of

MISSING = "its bytes are missing in the product's storage"
DAMAGED = "its bytes in the product's storage are not those that came: another SHA-256"


def copied_from(file: Stored, target: Path) -> str:
    """Copy a file's bytes out of the product's storage; return why not, where they are missing or damaged there."""
    digest = hashlib.sha256()
    try:
        with draft_of(target) as draft:
            for piece in file_storages[file.storage].read(file.key, 0, file.size):
                digest.update(piece)
                draft.stream.write(piece)
            if digest.hexdigest() != file.sha256:
                return DAMAGED
            draft.keep()
    except BytesMissing:
        return MISSING
    return ""


def is_there(file: Stored, store: FileStorage) -> bool:
    """Say whether a storage has these very bytes under the file's key."""
    if store.size_of(file.key) != file.size:
        return False
    try:
        with store.local(file.key, file.sha256) as path:
            return digest_of(path) == file.sha256
    except (BytesMissing, BytesDamaged):
        return False


def copied_to(source: Path, file: Stored, store: FileStorage) -> None:
    """Copy a file's bytes into a storage. Raises BackupDamaged, naming what is lost, and DiskFull."""
    if not source.is_file():
        raise _lost(source, file, "is missing")
    if digest_of(source) != file.sha256:
        raise _lost(source, file, "is damaged")
    store.put(file.key, source)


def _lost(source: Path, file: Stored, state: str) -> BackupDamaged:
    return BackupDamaged(
        f"{source} {state}. Lost with it: the bytes of {file.name!a} (file {file.id} of user {file.owner}).",
        hint="Restore another backup of this folder with --backup, or go on without these bytes: --accept-losses.",
        file=file.id,
    )
