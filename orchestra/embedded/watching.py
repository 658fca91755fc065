"""Tell a wedged program from a working one, and a dead server from a living one, without waiting for either.

A program shows signs of life by the time of a file (`orchestra.monitoring.pulses`). The supervisor compares that time
with itself only and counts on its own monotonic clock, so that a clock that is set forward or back changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from orchestra.common.errors import OrchestraError

_LOOK_EVERY = 1.0  # seconds between two looks at the servers
_AGAIN_AFTER = 5.0  # seconds after a server that could not be started


class Watch:
    """The signs of life of one program: silent when the last one is `silence` seconds ago."""

    def __init__(self, path: Path, silence: float, first_sign: float) -> None:
        self._path = path
        self._silence = silence
        self._first_sign = first_sign
        self.begin()

    def begin(self) -> None:
        """Count from now, with `first_sign` seconds on top: the program is only being started."""
        self._stamp = self._read()
        self._since = time.monotonic() + self._first_sign

    def forgive(self) -> None:
        """Count from now: what it fell silent over was not its own fault."""
        self._since = time.monotonic()

    def is_silent(self) -> bool:
        """Say whether there was no sign of life for too long."""
        stamp = self._read()
        if stamp != self._stamp:
            self._stamp, self._since = stamp, time.monotonic()
        return time.monotonic() - self._since > self._silence

    def _read(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0


class RevivableServer(Protocol):
    """What is watched of a server."""

    label: str

    def alive(self) -> bool:
        """Say whether its process is there, answering or not."""

    def ensure(self) -> bool:
        """Start it unless it runs."""


class ServerWatch:
    """Starts the servers of this machine again when one has died."""

    def __init__(self, servers: Sequence[RevivableServer], say: Callable[[str], None]) -> None:
        self._servers = servers
        self._say = say
        self._look_at = 0.0

    def step(self) -> None:
        """Look, at most once a second. A server that does not start is tried again later: the others go on."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_EVERY
        for server in self._servers:
            if not server.alive():
                self._revive(server)

    def _revive(self, server: RevivableServer) -> None:
        self._say(f"{server.label} has died; it is started again.")
        began = time.monotonic()
        try:
            server.ensure()
        except OrchestraError as error:
            self._say(f"{error.message} It is tried again in {_AGAIN_AFTER:.0f} s.")
            self._look_at = time.monotonic() + _AGAIN_AFTER
        else:
            self._say(f"{server.label} is back after {time.monotonic() - began:.1f} s.")
