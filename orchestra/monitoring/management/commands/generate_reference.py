"""`manage.py generate_reference`: docs/reference/ from the settings, the errors and the commands."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.monitoring.reference import pages
from orchestra.settings.server_variables import BASE_DIR

DIRECTORY = BASE_DIR / "docs" / "reference"


class Command(BaseCommand):
    """Writes the reference pages, or says which of them are out of date."""

    help = "Write docs/reference/ from the code. --check writes nothing and exits with 1 when a page is out of date."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="compare only")

    def handle(self, *args: object, **options: object) -> None:
        """Write or compare each page."""
        stale = [name for name, text in pages().items() if not _is(DIRECTORY / name, text)]
        if options["check"] and stale:
            raise CommandError(f"Out of date: {', '.join(stale)}. Run `manage.py generate_reference`.")
        if not options["check"]:
            DIRECTORY.mkdir(parents=True, exist_ok=True)
            for name in stale:
                (DIRECTORY / name).write_text(pages()[name], "utf-8")
        self.stdout.write(f"Written: {', '.join(stale)}." if stale else "docs/reference/ is up to date.")


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text
