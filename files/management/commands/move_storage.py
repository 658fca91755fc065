"""`manage.py move_storage --to NAME`: the bytes of all files into another storage, verified, while the product runs."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from files.moving import move_all, to_move


class Command(BaseCommand):
    """Moves finished files to a storage; may be stopped and started again at any moment."""

    help = "Move the bytes of all files into another storage. May be stopped and started again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the storage's name."""
        parser.add_argument(
            "--to", required=True, choices=sorted(settings.FILE_STORAGES), help="where to: a configured storage"
        )

    def handle(self, *args: object, **options: object) -> None:
        """Move, print what could not be moved. Exits with 1 when something is left."""
        alias = str(options["to"])
        moved = 0
        for done in move_all(alias):
            if done.problem:
                self.stderr.write(f"{done.file.pk} was not moved: {done.problem}")
            else:
                moved += 1
        left = to_move(alias)
        self.stdout.write(f"{moved} files were moved to {alias}; {left} are elsewhere.")
        if left:
            raise CommandError("Run it again later: uploads under way and files that are being read stay behind.")
        if alias != settings.FILE_STORAGE:
            self.stdout.write(f"New files still go to {settings.FILE_STORAGE}: set FILE_STORAGE={alias} and restart.")
