"""`manage.py purge`: deletes for good what is in the trash."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from files import trash
from files.models import FileRecord
from orchestra.accounts.models import User


class Command(BaseCommand):
    """Deletes rows, passages, vectors and bytes of files in the trash."""

    help = "Delete for good what is in the trash: what its time is up for, or more."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what to delete."""
        parser.add_argument("--user", metavar="NAME", help="of this user alone")
        wanted = parser.add_mutually_exclusive_group()
        wanted.add_argument("--older-than", type=int, metavar="DAYS", help="longer there than this, not TRASH_DAYS")
        wanted.add_argument("--all", action="store_true", help="everything in the trash")
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete file by file; may be stopped and started again."""
        files = trash.due(0 if options["all"] else _days(options["older_than"]))
        if options["user"]:
            files = files.filter(owner=_user(options["user"]))
        if options["dry_run"]:
            self._list(files)
            return
        done = sum(map(trash.purge_trashed, list(files.values_list("pk", flat=True))))
        self.stdout.write(f"Deleted for good: {done} file{'' if done == 1 else 's'}.")

    def _list(self, files: QuerySet[FileRecord]) -> None:
        for file in files.select_related("owner"):
            moment = f"{file.trashed_at:%Y-%m-%d %H:%M}"
            self.stdout.write(f"{moment}  {file.owner.username}  {file.size} bytes  {ascii(file.name)[1:-1]}")
        self.stdout.write(f"Would be deleted for good: {files.count()}.")


def _days(given: int | None) -> int | None:
    if given is not None and given < 0:
        raise CommandError("Write a number of days that is not negative.")
    return given


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name}.")
    return user
