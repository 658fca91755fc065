"""`manage.py restore FOLDER`: a backup into this installation, which must be stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.backup.errors import RestoreWhileRunning
from orchestra.backup.restoring import Wanted, restore
from orchestra.backup.running import database_running
from orchestra.common.errors import OrchestraError
from orchestra.embedded.run_record import is_held


class Command(BaseCommand):
    """Brings database and bytes back."""

    help = "Restore a backup into this installation: bytes first, then the database, all of it or nothing."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder, which backup, and what may be lost."""
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that backups are kept in")
        parser.add_argument("--backup", default="", metavar="ID", help="this one instead of the newest")
        parser.add_argument("--force", action="store_true", help="replace everything that is in the database")
        parser.add_argument(
            "--with-secrets", action="store_true", help="also STATE_DIR/secrets, if the backup has them"
        )
        parser.add_argument(
            "--accept-losses", action="store_true", help="go on where bytes of files are damaged in the backup"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, and say what came back."""
        wanted = Wanted(options["backup"], options["force"], options["with_secrets"], options["accept_losses"])
        try:
            if is_held(settings.STATE_DIR):
                raise RestoreWhileRunning("Orchestra runs in this folder.")
            with database_running():
                done = restore(options["folder"], wanted, tell=self.stdout.write)
        except OrchestraError as exc:
            raise CommandError(f"{exc.message} {exc.hint} ({exc.code})") from exc
        self.stdout.write(
            f"Restored {done.manifest.id}: {sum(table.rows for table in done.manifest.tables):,} rows, "
            f"{done.copied:,} files copied, {done.kept:,} there already."
        )
        for sentence in done.lost:
            self.stderr.write(sentence)
