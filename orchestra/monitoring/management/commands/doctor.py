"""`manage.py doctor`: is every part well, and what to do about those that are not?"""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.monitoring.checks import registry


class Command(BaseCommand):
    """Runs every health check and says for each failure what to do."""

    help = "Check every part; say for each failure what to do. Exits with 1 when something failed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Allow naming single checks."""
        parser.add_argument("checks", nargs="*", help=f"of: {', '.join(registry.names())} (default: all)")

    def handle(self, *args: object, checks: list[str], **options: object) -> None:
        """Print a line per check."""
        if unknown := set(checks) - set(registry.names()):
            known = ", ".join(registry.names())
            raise CommandError(f"There is no check called {', '.join(sorted(unknown))}. There are: {known}.")
        failures = 0
        for result in registry.run(checks or None):
            mark = self.style.SUCCESS("ok  ") if result.outcome.ok else self.style.ERROR("FAIL")
            self.stdout.write(f"{mark} {result.name:16} {result.outcome.message}  ({result.milliseconds:.0f} ms)")
            if not result.outcome.ok:
                failures += 1
                self.stdout.write(f"     {'':16} → {result.outcome.remedy}")
        if failures:
            raise CommandError(f"{failures} of the parts above need attention.")
