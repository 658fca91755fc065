"""Milliseconds per step of a search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Times named steps and the whole since it was made."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block under `name`; what is done in several blocks is added up."""
        began = perf_counter()
        try:
            yield
        finally:
            self._steps[name] = round(self._steps.get(name, 0.0) + 1000 * (perf_counter() - began), 2)

    def milliseconds(self) -> dict[str, float]:
        """Return the steps so far and `total`."""
        return {**self._steps, "total": round(1000 * (perf_counter() - self._began), 2)}
