"""`manage.py doctor`: is every part well, and what to do about those that are not?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.monitoring.checks import CheckResult, registry


class Command(BaseCommand):
    """Runs every health check and says for each failure what to do."""

    help = "Check every part; say for each failure what to do. Exits with 1 when something failed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Allow naming single checks."""
        proxy = "check instead how requests and sockets arrive through the proxy at this public address"
        parser.add_argument("--proxy", metavar="URL", default="", help=proxy)
        bundle = (
            "write what was found, settings, versions, tables, figures and logs to this zip, without secrets or content"
        )
        parser.add_argument("--bundle", metavar="FILE", type=Path, help=bundle)
        parser.add_argument("checks", nargs="*", help=f"of: {', '.join(registry.names())} (default: all)")

    def handle(
        self, *args: object, checks: list[str], proxy: str, bundle: Path | None = None, **options: object
    ) -> None:
        """Print a line per check."""
        if unknown := set(checks) - set(registry.names()):
            known = ", ".join(registry.names())
            raise CommandError(f"There is no check called {', '.join(sorted(unknown))}. There are: {known}.")
        results = _through(proxy) if proxy else registry.run(checks or None)
        if bundle is not None:
            found = list(results)
            self._write(bundle, found)
            results = found
        self._tell(results)

    def _write(self, path: Path, results: list[CheckResult]) -> None:
        from orchestra.monitoring import bundle

        try:
            parts = bundle.write(path, results)
        except OSError as exc:
            raise CommandError(f"The bundle cannot be written: {exc}") from exc
        self.stdout.write(f"{path}: {', '.join(parts)}. Look through it before you give it away.")

    def _tell(self, results: Iterable[CheckResult]) -> None:
        failures = 0
        for result in results:
            mark = self.style.SUCCESS("ok  ") if result.outcome.ok else self.style.ERROR("FAIL")
            self.stdout.write(f"{mark} {result.name:16} {result.outcome.message}  ({result.milliseconds:.0f} ms)")
            if not result.outcome.ok:
                failures += 1
                self.stdout.write(f"     {'':16} → {result.outcome.remedy}")
        if failures:
            raise CommandError(f"{failures} of the parts above need attention.")


def _through(url: str) -> Iterable[CheckResult]:
    from orchestra.monitoring.proxy.visiting import examine

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise CommandError("Write the public address as https://files.example.org, without a path.")
    return examine(url, settings.UPLOAD_CHUNK_SIZE)
