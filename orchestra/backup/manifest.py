"""What a backup consists of, with the digest of each part. The manifest is written last: without it, there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from orchestra.backup.errors import BackupDamaged, BackupNewer

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the backup, named from the backup's own folder; `sha256` and `size` are those of the file as it is."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table in PostgreSQL's binary COPY format, by columns in this order, each with its type."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    part: Part


@dataclass(frozen=True, slots=True)
class Missing:
    """Bytes that could not be copied, and why."""

    file_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup. `migrations` are those applied when it was made, `sequences` their last values.

    `files` is the part that lists the files with their keys and digests, `file_count` and `file_bytes` their sums.
    """

    id: str
    product: str
    created_at: str
    server: str
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    sequences: tuple[tuple[str, int], ...]
    files: Part
    file_count: int
    file_bytes: int
    missing: tuple[Missing, ...] = ()
    secrets: tuple[Part, ...] = ()
    format: int = field(default=FORMAT)

    def parts(self) -> Iterator[tuple[Part, str]]:
        """Yield each part with what is lost when it is."""
        for table in self.tables:
            yield table.part, f"the {table.rows:,} rows of the table {table.name}"
        yield self.files, "the list of files, and with it which bytes belong to which"
        for part in self.secrets:
            yield part, "a secret of the installation"

    def write(self, folder: Path) -> None:
        """Write the manifest into the backup's folder, with its own digest."""
        body = json.loads(json.dumps(asdict(self)))
        (folder / NAME).write_text(json.dumps({**body, "sha256": _digest(body)}, indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a backup. Raises BackupDamaged, or BackupNewer for a format to come."""
        try:
            body = json.loads((folder / NAME).read_text())
            said = body.pop("sha256")
            if body["format"] > FORMAT:
                raise BackupNewer
            if said != _digest(body):
                raise _damaged(folder)
            return cls(**_typed(body))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise _damaged(folder) from exc


def _damaged(folder: Path) -> BackupDamaged:
    return BackupDamaged(f"{folder / NAME} is damaged: nothing tells what the backup {folder.name} consists of.")


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _typed(body: dict[str, Any]) -> dict[str, Any]:
    return {
        **body,
        "migrations": tuple((app, name) for app, name in body["migrations"]),
        "sequences": tuple((name, value) for name, value in body["sequences"]),
        "tables": tuple(
            Table(
                row["name"],
                tuple((column, kind) for column, kind in row["columns"]),
                row["rows"],
                Part(**row["part"]),
            )
            for row in body["tables"]
        ),
        "files": Part(**body["files"]),
        "missing": tuple(Missing(**row) for row in body["missing"]),
        "secrets": tuple(Part(**row) for row in body["secrets"]),
    }
