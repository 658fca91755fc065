"""Turn Ctrl-C and the usual stop signals into a question that the main loop asks."""

from __future__ import annotations

import signal
from types import FrameType


class StopRequest:
    """Count the stop signals that have come: one asks for an orderly stop, two for a hurried one."""

    def __init__(self) -> None:
        self._count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def made(self) -> bool:
        """Say whether anybody asked to stop."""
        return self._count > 0

    def urgent(self) -> bool:
        """Say whether somebody asked twice."""
        return self._count > 1

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._count += 1
