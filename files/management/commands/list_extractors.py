"""`manage.py list_extractors`: which types are read, and by what."""

from __future__ import annotations

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from files.file_types import file_types


class Command(BaseCommand):
    """Prints the registry."""

    help = "List the types of files that are read, their endings, and their readers in the order they are tried."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the form of the output."""
        parser.add_argument("--json", action="store_true", help="print JSON lines, media types included")

    def handle(self, *args: object, **options: object) -> None:
        """Print the table."""
        if options["json"]:
            self.stdout.write("\n".join(json.dumps(asdict(found)) for found in file_types()))
            return
        table = Table("Type", "Endings", "Readers")
        for found in file_types():
            table.add_row(found.label, " ".join(found.endings), ", then ".join(found.readers))
        Console().print(table)
