"""Reads a backup against its digests, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestra.backup.errors import BackupDamaged
from orchestra.backup.folder import Folder, check_parts
from orchestra.backup.manifest import Manifest
from orchestra.backup.progress import Meter, Tell
from orchestra.common.disk import digest_of


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. `damage` says in sentences what is damaged and what is lost with it."""

    manifest: Manifest
    damage: tuple[str, ...]


def verify(root: Path, id: str = "", *, tell: Tell = print) -> Verified:  # noqa: A002  # as the command calls it
    """Compare every part and every file's bytes of a backup with their digests.

    Raises BackupFolderInvalid, and BackupDamaged where the manifest itself is.
    """
    folder = Folder.found(root)
    with folder.hold(alone=False):
        backup = folder.chosen(id)
        manifest = Manifest.read(backup)
        damage = [error.message for error in check_parts(backup, manifest)]
        try:
            damage += _damaged_bytes(folder, backup, manifest, tell)
        except BackupDamaged as error:
            damage += [error.message] if error.message not in damage else []
    return Verified(manifest, tuple(damage))


def _damaged_bytes(folder: Folder, backup: Path, manifest: Manifest, tell: Tell) -> list[str]:
    known_missing = {one.file_id for one in manifest.missing}
    damage, meter = [], Meter("Bytes of files", manifest.file_bytes, tell)
    for file in folder.files(backup):
        path = folder.object_path(file.sha256)
        if file.id not in known_missing and not (path.is_file() and digest_of(path) == file.sha256):
            state = "is damaged" if path.is_file() else "is missing"
            damage.append(f"{path} {state}. Lost with it: the bytes of {file.name!a} (file {file.id}).")
        meter.add(file.size)
    meter.end()
    return damage
