"""Writes a backup while the product runs: the database as it was at one moment, and the bytes that it names.

Tables are read in one transaction with one snapshot. Bytes never change under their key, and while they are copied
none are deleted (`files.holding`). Tables are written anew by every backup; bytes that are there are not copied again,
so a backup that broke off goes on where it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from files.holding import bytes_held
from files.models import FileRecord, FileStatus
from orchestra.backup import tables
from orchestra.backup.bytes import copied_from
from orchestra.backup.errors import BackupBusy, BackupDiskFull
from orchestra.backup.folder import Folder, Stored, Writer
from orchestra.backup.manifest import Manifest, Missing, Part, Table
from orchestra.backup.progress import Meter, Tell, size_words
from orchestra.common import failpoints
from orchestra.common.disk import full_disk_as

_INCOMPRESSIBLE = ("halfvec", "bytea")
_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Created:
    """A backup that is complete. `copied` and `kept` are bytes of files: copied now, and there already."""

    folder: Path
    manifest: Manifest
    copied: int
    kept: int
    removed: int


def create(root: Path, *, with_secrets: bool = False, keep: int = 2, tell: Tell = print) -> Created:
    """Write a backup into the folder `root`, and remove all but the newest `keep`.

    Raises BackupFolderInvalid, BackupBusy, BackupDiskFull. Bytes that are missing or damaged in the product itself
    stop nothing: the manifest lists them.
    """
    folder = Folder.made(root)
    moment = datetime.now(UTC)
    id_ = f"{moment:%Y%m%dT%H%M%S-%fZ}"  # in the order of time
    with folder.hold(), bytes_held() as held:
        if not held:
            raise BackupBusy
        backup = folder.begin(id_)
        manifest = _database(backup, id_, moment, tell)
        failpoints.reach("backup.dumped")
        copied = _Copying(folder, tell)
        missing = copied.all(folder.files(backup), manifest.file_bytes)
        manifest = replace(manifest, missing=missing, secrets=_secrets(backup) if with_secrets else ())
        with full_disk_as(BackupDiskFull):
            manifest.write(backup)
            failpoints.reach("backup.named")
            finished = folder.finish(backup)
        return Created(finished, manifest, copied.copied, copied.kept, folder.prune(keep))


def _database(backup: Path, id_: str, moment: datetime, tell: Tell) -> Manifest:
    sources = tables.sources()
    with _snapshot([source.table for source in sources]):
        written = []
        for source in sources:
            table = _table(backup, source)
            written.append(table)
            if table.rows:
                tell(f"{table.name}: {table.rows:,} rows, {size_words(table.part.size)}")
        files, count, size = _list_of_files(backup)
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (server,) = cursor.fetchone()
        return Manifest(
            id=id_,
            product=str(settings.SPECTACULAR_SETTINGS["VERSION"]),
            created_at=moment.isoformat(),
            server=server,
            migrations=tables.applied_migrations(),
            tables=tuple(written),
            # Read last: no lower than any number in the rows, which are as they were before.
            sequences=tables.sequences(),
            files=files,
            file_count=count,
            file_bytes=size,
        )


@contextmanager
def _snapshot(names: list[str]) -> Iterator[None]:
    """Open the transaction that sees one moment. Its locks keep tables from being dropped, and hold up nobody else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(f"LOCK TABLE {tables.quoted(names)} IN ACCESS SHARE MODE")  # before the first look
        yield


def _table(backup: Path, source: tables.Source) -> Table:
    columns = tables.columns_of(source.table)
    plain = any(kind.startswith(_INCOMPRESSIBLE) for _, kind in columns)
    writer = Writer(backup, f"tables/{source.table}.copy{'' if plain else '.gz'}")
    where = f" WHERE {source.condition}" if source.condition else ""
    select = f"SELECT {tables.quoted(name for name, _ in columns)} FROM {tables.quoted([source.table])} t{where}"  # noqa: S608
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT BINARY)") as copy:
            for data in copy:
                writer.write(data)
        return Table(source.table, columns, cursor.rowcount, writer.close())


def _list_of_files(backup: Path) -> tuple[Part, int, int]:
    """Write the list of files that the snapshot has; return it with their number and bytes."""
    writer, count, size = Writer(backup, "files.jsonl.gz"), 0, 0
    kept = FileRecord.objects.exclude(status=FileStatus.UPLOADING).order_by("pk")
    columns = kept.values_list("pk", "owner_id", "name", "storage", "storage_key", "size", "sha256")
    for id_, owner, name, store, key, length, sha256 in columns.iterator(chunk_size=_PAGE):
        row = Stored(str(id_), str(owner), name, store, key, length, sha256)
        writer.write(json.dumps(asdict(row)).encode() + b"\n")
        count, size = count + 1, size + length
    return writer.close(), count, size


class _Copying:
    """Copies the bytes of files into the folder, those that it lacks."""

    def __init__(self, folder: Folder, tell: Tell) -> None:
        self._folder = folder
        self._tell = tell
        self.copied = self.kept = 0

    def all(self, files: Iterator[Stored], total: int) -> tuple[Missing, ...]:
        """Copy what is not there; return what could not be copied."""
        missing, meter = [], Meter("Bytes of files", total, self._tell)
        for file in files:
            if self._folder.has_object(file.sha256, file.size):
                self.kept += file.size
            elif reason := self._copy(file):
                missing.append(Missing(file.id, file.name, reason))
            else:
                self.copied += file.size
            meter.add(file.size)
        meter.end()
        return tuple(missing)

    def _copy(self, file: Stored) -> str:
        """Copy one file; return why it could not be done."""
        if file.size > shutil.disk_usage(self._folder.objects).free:
            raise BackupDiskFull(f"The disk of the backup has no room for {file.name}: {size_words(file.size)}.")
        with full_disk_as(BackupDiskFull):
            problem = copied_from(file, self._folder.object_path(file.sha256))
        failpoints.reach("backup.copied")
        return problem


def _secrets(backup: Path) -> tuple[Part, ...]:
    """Copy the secrets of the state directory; none where settings give them all."""
    parts = []
    for path in sorted((settings.STATE_DIR / "secrets").glob("[!.]*")):
        writer = Writer(backup, f"secrets/{path.name}")
        (backup / "secrets" / path.name).chmod(0o600)
        writer.write(path.read_bytes())
        parts.append(writer.close())
    return tuple(parts)
