"""What must always be true of the data, and what to do where it is not. Applications add theirs; `manage.py verify`
examines a live system.

An invariant yields a name for each thing that breaks it, one after the other, so that memory stays small however many
there are. A repair gets one such name, looks again under lock, and puts it right or leaves it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import IntEnum

from django.db import connection

_EXAMPLES = 5


class Level(IntEnum):
    """How much an invariant reads."""

    JOBS = 1  # files and jobs: cheap enough for the doctor
    DATABASE = 2  # every row of what is searched
    BYTES = 3  # every stored byte
    TEXTS = 4  # every file's text, by reading it again


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that must be true, named after its function. `sentence` says what is wrong, with `{count}`."""

    violations: Callable[[], Iterator[str]]
    sentence: str
    level: Level
    repair: Callable[[str], bool] | None = None
    remedy: str = ""

    @property
    def code(self) -> str:
        """The stable name."""
        return self.violations.__name__


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold: how often, a few examples, how many of them were repaired."""

    code: str
    message: str
    count: int
    examples: tuple[str, ...]
    repairable: bool
    repaired: int = 0
    remedy: str = ""

    @property
    def left(self) -> int:
        """How many violations are still there."""
        return self.count - self.repaired


@dataclass(frozen=True, slots=True)
class Examined:
    """The result of looking at one invariant; `finding` is None where it holds."""

    code: str
    finding: Finding | None
    seconds: float


Progress = Callable[[str, int], None]


def _silent(code: str, count: int) -> None:
    pass


class Invariants:
    """All that was added, in order."""

    def __init__(self) -> None:
        self._known: dict[str, Invariant] = {}

    def add(self, *invariants: Invariant) -> None:
        """Add invariants; one with the same code is replaced."""
        self._known.update((invariant.code, invariant) for invariant in invariants)

    def codes(self) -> list[str]:
        """Return all codes."""
        return list(self._known)

    def up_to(self, level: Level) -> list[str]:
        """Return the codes of what reads no more than `level`."""
        return [code for code, invariant in self._known.items() if invariant.level <= level]

    def examine(self, codes: list[str], *, repair: bool = False, progress: Progress = _silent) -> Iterator[Examined]:
        """Look at invariants one after the other; `progress` is told each violation's code and number."""
        for code in codes:
            began = time.monotonic()
            finding = _examine(self._known[code], repair=repair, progress=progress)
            yield Examined(code, finding, round(time.monotonic() - began, 3))


def _examine(invariant: Invariant, *, repair: bool, progress: Progress) -> Finding | None:
    count = repaired = 0
    examples: list[str] = []
    for name in invariant.violations():
        count += 1
        if len(examples) < _EXAMPLES:
            examples.append(name)
        if repair and invariant.repair is not None:
            repaired += bool(invariant.repair(name))
        progress(invariant.code, count)
    if not count:
        return None
    message = invariant.sentence.format(count=f"{count:,}")
    repairable = invariant.repair is not None
    return Finding(invariant.code, message, count, tuple(examples), repairable, repaired, invariant.remedy)


def first_column(statement: str, *parameters: int) -> Iterator[str]:
    """Yield the first column of a query's rows as text, read from the server piece by piece."""
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(statement, parameters)
        for row in cursor:
            yield str(row[0])


invariants = Invariants()
