"""Stops a process from taking files while what all of them need is away.

A store or a model that is away fails one file after the other, and each failure uses up a little of a file's patience.
After some faults of others in a row the process takes no file for a while, then tries with one.
"""

from __future__ import annotations

import time

import structlog

logger = structlog.get_logger(__name__)

FAULTS_IN_A_ROW = 5
PAUSE_SECONDS = 30.0


class Breaker:
    """Counts faults that were not the files', one file after the other."""

    def __init__(self) -> None:
        self._faults = 0
        self._closed_at = 0.0

    def allows(self) -> bool:
        """Say whether a file may be taken; after a pause, each try that fails begins another one."""
        return self._faults < FAULTS_IN_A_ROW or time.monotonic() >= self._closed_at

    def note_fault(self, code: str) -> None:
        """Note that a file's attempt ended by somebody else's fault."""
        self._faults += 1
        if self._faults >= FAULTS_IN_A_ROW:
            self._closed_at = time.monotonic() + PAUSE_SECONDS
            logger.warning("no file is taken for a while", code=code, seconds=PAUSE_SECONDS)

    def note_work(self) -> None:
        """Note that an attempt ended by its own doing, well or badly: what files need is there."""
        self._faults = 0
