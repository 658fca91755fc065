"""The registry of health checks. Applications add theirs here; doctor and the health addresses run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Self

from django.db import DatabaseError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found, in a sentence; `remedy` says what to do when it failed."""

    ok: bool
    message: str
    remedy: str = ""

    @classmethod
    def passed(cls, message: str) -> Self:
        """Return a good outcome."""
        return cls(True, message)

    @classmethod
    def failed(cls, message: str, remedy: str) -> Self:
        """Return a bad outcome with what to do about it."""
        return cls(False, message, remedy)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """An outcome with the check's name and its milliseconds."""

    name: str
    outcome: Outcome
    milliseconds: float


Check = Callable[[], Outcome]


class CheckRegistry:
    """Named checks, in the order they were added."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Add a check; adding the same name again replaces it."""
        self._checks[name] = check

    def names(self) -> list[str]:
        """Return the names of all checks."""
        return list(self._checks)

    def run(self, names: list[str] | None = None) -> Iterator[CheckResult]:
        """Run the checks (or those named) one after the other; a check that breaks is a failed check."""
        for name in names or self.names():
            began = perf_counter()
            try:
                outcome = self._checks[name]()
            except DatabaseError as exc:
                # Most checks read a row: what is wrong is then said by `database`, and is no bug of the check.
                reason = " ".join(str(exc).split())
                outcome = Outcome.failed(f"The database refused: {reason}", "Put right `database` above first.")
            except Exception as exc:  # noqa: BLE001  # a broken part must not hide the state of the others
                outcome = Outcome.failed(f"The check itself broke: {exc!r}", "See the log, and report this.")
            yield CheckResult(name, outcome, round(1000 * (perf_counter() - began), 1))


registry = CheckRegistry()
