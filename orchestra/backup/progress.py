"""What a command says while it is at work: a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

Tell = Callable[[str], object]

_EVERY = 5.0  # seconds


class Meter:
    """Counts bytes and says how far it is."""

    def __init__(self, what: str, total: int, tell: Tell) -> None:
        self._what = what
        self._total = total
        self._tell = tell
        self._done = 0
        self._began = self._said = time.monotonic()

    def add(self, count: int) -> None:
        """Count so many bytes more."""
        self._done += count
        now = time.monotonic()
        if now - self._said >= _EVERY:
            self._said = now
            speed = self._done / max(now - self._began, 0.001)
            self._tell(f"{self._what}: {size_words(self._done)} of {size_words(self._total)}, {size_words(speed)}/s")

    def end(self) -> None:
        """Say that it is done."""
        seconds = time.monotonic() - self._began
        self._tell(f"{self._what}: {size_words(self._done)} in {seconds:.1f} s")


def size_words(count: float) -> str:
    """Return a number of bytes as people write it."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"
