"""The canary: a task that each worker sends to itself through the broker, to show that it still takes tasks.

A process that is alive may have stopped consuming: after a lost connection, or stopped by a signal. Every 20 seconds
the worker's own loop sends a task to the worker's own queue; whichever of its processes runs it shows a sign of life
(`orchestra.monitoring.tasks.canary`). While every process is at work none can come, and the loop shows the sign itself.
The supervisor restarts a worker whose signs stop for a minute.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import structlog
from celery import bootsteps
from celery.utils.nodenames import worker_direct
from celery.worker import state
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from orchestra.monitoring import pulses

logger = structlog.get_logger(__name__)

SECONDS = 20.0


class CanaryStep(bootsteps.StartStopStep):
    """Sends canaries for as long as the worker's consumer runs."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        """Begin; `parent` is the worker's consumer. The first canary goes out at once."""
        node, slots = str(parent.hostname), int(parent.controller.concurrency)
        self._timer = parent.timer.call_repeatedly(SECONDS, look, (node, slots))
        look(node, slots)

    def stop(self, parent: Any) -> None:
        """End: the connection is lost, or the worker is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def look(node: str, slots: int) -> None:
    """Send a canary, or show the sign of life where every process is at work and none could run it."""
    busy = [process for request in list(state.active_requests) if (process := request.worker_pid)]
    if len(busy) < slots:
        _send(node, slots)
    elif not all(_is_stopped(process) for process in busy):
        pulses.touch(node)


def _send(node: str, slots: int) -> None:
    from orchestra.monitoring.tasks import canary

    try:
        canary.apply_async((time.monotonic(), os.getpid(), slots), queue=worker_direct(node), expires=3 * SECONDS)
    except (KombuError, RedisError, OSError) as exc:
        # The supervisor asks the broker itself before it takes the worker's silence for the worker's fault.
        logger.warning("canary not sent", error=str(exc))


def _is_stopped(pid: int) -> bool:
    """Tell whether a process was stopped by a signal: it holds its file and does nothing."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in ("T", "t")
