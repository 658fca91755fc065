"""What this process has counted and not yet written: a dictionary under a lock, as cheap as counting can be."""

from __future__ import annotations

import os
import threading

Key = tuple[str, tuple[str, ...]]
"""A figure's name and the values of its labels."""


class Pending:
    """Counts by series. Of a histogram: one for each interval between bounds, one above them, the sum at the end."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew. After a fork the parent's counts are the parent's, and its lock may be held for ever."""
        self._lock = threading.Lock()
        self._counts: dict[Key, list[float]] = {}

    def add(
        self, name: str, labels: tuple[str, ...], place: int, amount: float, *, width: int, total: float | None = None
    ) -> None:
        """Add to one place of a series of `width`, and `total` to its last one."""
        key = (name, labels)
        with self._lock:
            counts = self._counts.get(key)
            if counts is None:
                counts = self._counts[key] = [0.0] * width
            counts[place] += amount
            if total is not None:
                counts[-1] += total

    def take(self) -> dict[Key, list[float]]:
        """Return what was counted since the last time, and forget it."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken

    def put_back(self, taken: dict[Key, list[float]]) -> None:
        """Keep for the next time what could not be written."""
        with self._lock:
            for key, values in taken.items():
                counts = self._counts.setdefault(key, [0.0] * len(values))
                for place, value in enumerate(values):
                    counts[place] += value


pending = Pending()
os.register_at_fork(after_in_child=pending.forget)
