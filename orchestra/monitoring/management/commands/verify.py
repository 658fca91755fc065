"""`manage.py verify`: is what must always be true of the data true, and can what is not be put right?"""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.monitoring.verification import Examined, Finding, Level, invariants

_TELL_EVERY = 5.0  # seconds


class Command(BaseCommand):
    """Examines the invariants of the data on a live system."""

    help = "Check, while the product runs, that jobs, files, bytes and index agree. Exits with 1 when they do not."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare how much is read, and whether it is put right."""
        parser.add_argument("codes", nargs="*", metavar="CODE", help="what to check (default: all)")
        parser.add_argument("--repair", action="store_true", help="put right what can be put right without loss")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
        depth = parser.add_mutually_exclusive_group()
        depth.add_argument("--quick", action="store_true", help="look at the database only, not at stored bytes")
        depth.add_argument("--deep", action="store_true", help="also read every file again and compare its text")

    def handle(
        self, *_: object, codes: list[str], repair: bool, json: bool, quick: bool, deep: bool, **__: object
    ) -> None:
        """Print a line, or one object, about each invariant."""
        if unknown := set(codes) - set(invariants.codes()):
            known = ", ".join(invariants.codes())
            raise CommandError(f"There is no invariant called {', '.join(sorted(unknown))}. There are: {known}.")
        level = Level.DATABASE if quick else Level.TEXTS if deep else Level.BYTES
        results = []
        for examined in invariants.examine(codes or invariants.up_to(level), repair=repair, progress=self._progress()):
            results.append(examined)
            if not json:
                self._tell(examined, repair=repair)
        if json:
            self.stdout.write(_as_json(results))
        left = sum(bool(examined.finding and examined.finding.left) for examined in results)
        if left:
            raise CommandError(f"{left} of {len(results)} invariants do not hold.")

    def _progress(self) -> Progress:
        return Progress(self)

    def _tell(self, examined: Examined, *, repair: bool) -> None:
        finding = examined.finding
        if finding is None:
            self.stdout.write(f"{self.style.SUCCESS('ok  ')} {examined.code:28} ({examined.seconds:.1f} s)")
            return
        mark = self.style.ERROR("FAIL") if finding.left else self.style.WARNING("mended")
        self.stdout.write(f"{mark} {examined.code:28} {finding.message}  ({examined.seconds:.1f} s)")
        self.stdout.write(f"     {'':28} such as {', '.join(finding.examples)}")
        self.stdout.write(f"     {'':28} → {_advice(finding, repair=repair)}")


class Progress:
    """Tells on the error stream, every few seconds, how much was found of what."""

    def __init__(self, command: BaseCommand) -> None:
        self._command = command
        self._told = time.monotonic()

    def __call__(self, code: str, count: int) -> None:
        """Take note of a violation."""
        if time.monotonic() - self._told >= _TELL_EVERY:
            self._told = time.monotonic()
            self._command.stderr.write(f"{code}: {count:,} so far")


def _advice(finding: Finding, *, repair: bool) -> str:
    if repair and finding.repairable:
        return f"{finding.repaired:,} repaired, {finding.left:,} left."
    return "`manage.py verify --repair` puts this right." if finding.repairable else finding.remedy


def _as_json(results: list[Examined]) -> str:
    findings = [asdict(examined.finding) | {"left": examined.finding.left} for examined in results if examined.finding]
    seconds = {examined.code: examined.seconds for examined in results}
    return json.dumps({"findings": findings, "seconds": seconds}, indent=2)
