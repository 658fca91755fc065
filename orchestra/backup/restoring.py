"""Brings a backup back: bytes first, one by one, then the database in one transaction.

Bytes may be interrupted and go on where they were. The database is all or nothing: until its transaction ends, what
was here before is here still.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from files import storage
from orchestra.backup import loading
from orchestra.backup.bytes import copied_to, is_there
from orchestra.backup.errors import BackupDamaged, BackupFolderInvalid, RestoreNotEmpty, RestoreWhileRunning
from orchestra.backup.folder import Folder, check_part
from orchestra.backup.manifest import Manifest
from orchestra.backup.progress import Meter, Tell
from orchestra.common import failpoints


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `copied` and `kept` count files: copied now, and there already; `lost` says what did not."""

    manifest: Manifest
    copied: int
    kept: int
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to restore: a backup by its id (empty: the newest), over data that is here, with secrets, with losses."""

    id: str = ""
    force: bool = False
    with_secrets: bool = False
    accept_losses: bool = False


def restore(root: Path, wanted: Wanted, *, tell: Tell = print) -> Restored:
    """Restore a backup of the folder `root` into this installation, which must be stopped.

    Raises BackupFolderInvalid, BackupDamaged, BackupNewer, RestoreNotEmpty, RestoreWhileRunning, RestoreFailed, and
    DiskFull where there is no room for the bytes.
    """
    folder = Folder.found(root)
    with folder.hold(alone=False):
        backup = folder.chosen(wanted.id)
        manifest = Manifest.read(backup)
        loading.require_known(manifest)
        if wanted.with_secrets and not manifest.secrets:
            raise BackupFolderInvalid(f"The backup {manifest.id} was made without secrets.", hint="See --with-secrets.")
        _require_quiet(force=wanted.force)
        for part, lost in manifest.parts():
            check_part(backup, part, lost)
        bytes_back = _Bytes(folder, manifest, tell, accept_losses=wanted.accept_losses)
        bytes_back.restore(backup)
        loading.load(backup, manifest, tell)
        if wanted.with_secrets:
            _restore_secrets(backup, manifest)
    # Forward to this version, as an update would.
    call_command("migrate", verbosity=0, interactive=False)
    missing = [f"{one.name}: {one.reason} when the backup was made" for one in manifest.missing]
    return Restored(manifest, bytes_back.copied, bytes_back.kept, (*missing, *bytes_back.lost))


def _require_quiet(*, force: bool) -> None:
    if count := loading.others_connected():
        raise RestoreWhileRunning(f"{count} other connections to the database are open.")
    if not force and (table := loading.filled_table()):
        raise RestoreNotEmpty(f"The database is not empty: {table} has rows.")


class _Bytes:
    """Brings bytes back to the keys that the backup names, in the storage that new files go to here."""

    def __init__(self, folder: Folder, manifest: Manifest, tell: Tell, *, accept_losses: bool) -> None:
        self._folder = folder
        self._store = storage.chosen()
        self._missing = {one.file_id for one in manifest.missing}
        self._meter = Meter("Bytes of files", manifest.file_bytes, tell)
        self._accept_losses = accept_losses
        self.copied = self.kept = 0
        self.lost: list[str] = []

    def restore(self, backup: Path) -> None:
        """Copy what is not there. Raises BackupDamaged where a file's bytes are, unless losses are accepted."""
        for file in self._folder.files(backup):
            if file.id in self._missing:
                continue
            if is_there(file, self._store):
                self.kept += 1
            else:
                try:
                    copied_to(self._folder.object_path(file.sha256), file, self._store)
                    self.copied += 1
                    failpoints.reach("restore.copied")
                except BackupDamaged as error:
                    if not self._accept_losses:
                        raise
                    self.lost.append(error.message)
            self._meter.add(file.size)
        self._meter.end()


def _restore_secrets(backup: Path, manifest: Manifest) -> None:
    directory = settings.STATE_DIR / "secrets"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part in manifest.secrets:
        target = directory / Path(part.name).name
        draft = target.with_name(f".{target.name}.restored")
        draft.touch(mode=0o600)
        draft.write_bytes((backup / part.name).read_bytes())
        draft.replace(target)
