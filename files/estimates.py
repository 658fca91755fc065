"""How long a file will take, from how long others of its kind and size took lately; nothing where too few did.

Sizes are compared by powers of four. What is measured is kept for some seconds in each process: a page that asks every
second costs no query.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean, median

from files.models import FileRecord, JobState, ProcessingJob

ENOUGH = 5
"""Files of a kind and size that must have been read lately."""

_RECENT = 400
_KEPT_SECONDS = 15.0

Group = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds of work: the median per kind and size, and the mean of all."""

    by_group: dict[Group, float] = field(default_factory=dict)
    mean: float | None = None

    def of(self, file: FileRecord) -> float | None:
        """Return the seconds that a file like this one takes; None when too few were read lately."""
        return self.by_group.get(group_of(file.kind, file.size))


def group_of(kind: str, size: int) -> Group:
    """Return what a file is compared with: its kind and the power of four of its size."""
    return kind, size.bit_length() // 2


def remaining(
    rates: Rates, file: FileRecord, *, slots: int, before: int | None = None, elapsed: float | None = None
) -> int | None:
    """Return in about how many seconds a file will be ready; None where nothing honest can be said.

    `before` files are taken first by `slots` processes; or it has been read for `elapsed` seconds. One that takes
    longer than others did has no estimate any more.
    """
    own = rates.of(file)
    if own is None or not slots:
        return None
    if elapsed is not None:
        return round(own - elapsed) if elapsed < own else None
    if before is None or rates.mean is None:
        return None
    return round(before * rates.mean / slots + own)


class _Measured:
    """The rates, measured anew when they are older than some seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Measure anew at the next question."""
        self._until, self._rates = 0.0, Rates()

    def __call__(self) -> Rates:
        """Return what is known."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._rates, self._until = _measure(), time.monotonic() + _KEPT_SECONDS
            return self._rates


rates = _Measured()


def _measure() -> Rates:
    recent = (
        ProcessingJob.objects.filter(state=JobState.DONE, finished_at__isnull=False)
        .exclude(timings={})
        .order_by("-finished_at")
        .values_list("file__kind", "file__size", "timings")[:_RECENT]
    )
    return rates_of((kind, size, sum(timings.values())) for kind, size, timings in recent)


def rates_of(done: Iterable[tuple[str, int, float]]) -> Rates:
    """Return the rates of files of which kind, size and seconds of work are known."""
    groups: defaultdict[Group, list[float]] = defaultdict(list)
    for kind, size, seconds in done:
        groups[group_of(kind, size)].append(seconds)
    every = [seconds for found in groups.values() for seconds in found]
    known = {group: median(found) for group, found in groups.items() if len(found) >= ENOUGH}
    return Rates(known, fmean(every) if len(every) >= ENOUGH else None)
