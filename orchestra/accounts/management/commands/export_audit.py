"""`manage.py export_audit`: who did what, as CSV."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_naive, make_aware

from orchestra.accounts import audit

# What a formula begins with, half and full width.
_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Command(BaseCommand):
    """Writes the audit log, oldest first."""

    help = "Write who did what to standard output, as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --since."""
        parser.add_argument("--since", metavar="TIME", default="", help="from this day or time on, ISO 8601")

    def handle(self, *args: object, **options: object) -> None:
        """Print the rows."""
        since = _time(cast(str, options["since"]))
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(audit.COLUMNS)
        writer.writerows(map(harmless, audit.exported(since)))


def harmless(row: tuple[str, ...]) -> list[str]:
    """Return cells, each in one line, that no spreadsheet takes for formulas."""
    lines = (" ".join(cell.splitlines()) for cell in row)
    return [f"'{line}" if line.startswith("\t") or line.lstrip().startswith(_SIGNS) else line for line in lines]


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        day = parse_date(text)
        found = datetime(day.year, day.month, day.day) if day else parse_datetime(text)
    except ValueError:  # such as the 30th of February
        found = None
    if found is None:
        raise CommandError(f"{text!r} is no time. Write 2026-11-27, or 2026-11-27T14:30:00+00:00.")
    return make_aware(found) if is_naive(found) else found
