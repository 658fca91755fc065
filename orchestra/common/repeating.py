"""Work that a process does beside its requests or jobs, every few seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from django.db import connection


class Repeating:
    """One thread that does `work` every so many seconds, and once more when it is stopped.

    `work` is told whether that was the last time. Its connection to the database is closed after each time.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[bool], None]) -> None:
        self._name = name
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def runs(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._thread is not None

    def start(self) -> None:
        """Work from now on."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._repeat, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Work once more and end; give up waiting for that after five seconds."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join(5)

    def _repeat(self) -> None:
        last = False
        while not last:
            last = self._stopping.wait(self._seconds)
            with closing(connection):
                self._work(last)
