"""`manage.py backup FOLDER`: database and bytes into a folder, while the product runs."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.backup.creating import create
from orchestra.backup.progress import size_words
from orchestra.backup.running import database_running
from orchestra.backup.verifying import verify
from orchestra.common.errors import OrchestraError


def _at_least_one(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise ArgumentTypeError("write a whole number from 1")
    return int(value)


class Command(BaseCommand):
    """Writes a backup, or verifies one."""

    help = "Back up the database with its vectors, and the bytes of all files, while the product runs."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder and what to do with it."""
        parser.add_argument(
            "folder", type=Path, metavar="FOLDER", help="where backups are kept; made if it is not there"
        )
        parser.add_argument("--verify", action="store_true", help="make none: compare what is there with its digests")
        parser.add_argument("--backup", default="", metavar="ID", help="with --verify: this one instead of the newest")
        parser.add_argument(
            "--keep", type=_at_least_one, default=2, metavar="N", help="how many stay; older ones go (2)"
        )
        parser.add_argument(
            "--with-secrets", action="store_true", help="with STATE_DIR/secrets, which sign sessions and tokens"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Exits with 1 when something is missing or damaged."""
        try:
            if options["verify"]:
                self._verify(options["folder"], options["backup"])
            else:
                self._create(options["folder"], options["keep"], with_secrets=options["with_secrets"])
        except OrchestraError as exc:
            raise CommandError(f"{exc.message} {exc.hint} ({exc.code})") from exc

    def _create(self, folder: Path, keep: int, *, with_secrets: bool) -> None:
        with database_running():
            made = create(folder, with_secrets=with_secrets, keep=keep, tell=self.stdout.write)
        manifest = made.manifest
        rows = sum(table.rows for table in manifest.tables)
        self.stdout.write(
            f"{made.folder}: {rows:,} rows, {manifest.file_count:,} files of {size_words(manifest.file_bytes)} "
            f"({size_words(made.copied)} copied, {size_words(made.kept)} there already)."
        )
        if not with_secrets:
            self.stdout.write("Without secrets: after a restore elsewhere, users sign in again.")
        if manifest.missing:
            for one in manifest.missing:
                self.stderr.write(f"{one.name!a} ({one.file_id}): {one.reason}")
            raise CommandError(f"The backup is complete but for the bytes of {len(manifest.missing)} files.")

    def _verify(self, folder: Path, id_: str) -> None:
        found = verify(folder, id_, tell=self.stdout.write)
        for sentence in found.damage:
            self.stderr.write(sentence)
        for one in found.manifest.missing:
            self.stderr.write(f"{one.name!a} ({one.file_id}): {one.reason} when the backup was made")
        if found.damage:
            raise CommandError(f"The backup {found.manifest.id} is damaged: {len(found.damage)} parts.")
        self.stdout.write(
            f"The backup {found.manifest.id} is whole: {found.manifest.file_count:,} files, and all tables."
        )
