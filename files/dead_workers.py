"""Ends the leases of worker processes that died, as soon as another process of the same worker begins.

A lease by itself tells after up to 45 s: 30 until it ends, 15 until somebody looks. A new process knows more. What
holds a lease in its worker's name and is no process of its worker is dead. Where two workers bear one name that is
wrong: then files are begun anew, and the fence keeps the other one's writes out.

Before it: Celery, which starts a process in place of each one that died. After it: `jobs.sweep`.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta

import structlog
from django.db import Error, connection

from files import jobs
from orchestra.common.machine import living_children
from orchestra.monitoring import pulses

logger = structlog.get_logger(__name__)

_BEGAN = time.monotonic()  # of the worker: it imports this before it starts its processes, which inherit it


def take_over_later(node: str) -> None:
    """Look in a thread: Celery gives a new process four seconds, and a database that is away may take longer."""
    threading.Thread(target=take_over, args=(node, os.getppid()), name="take-over", daemon=True).start()


def take_over(node: str, parent: int) -> None:
    """Begin anew what the dead processes of a worker were at; `parent` is the process that this one is a child of."""
    try:
        pulses.begun(node, parent, timedelta(seconds=time.monotonic() - _BEGAN))
        if ended := jobs.end_leases(node, lambda: _living(parent)):
            logger.info("leases of dead processes ended", worker=node, jobs=ended)
            jobs.sweep()
    except Error as exc:
        logger.warning("leases of dead processes not looked for: they end by themselves", error=str(exc))
    finally:
        connection.close()


def _living(parent: int) -> set[int]:
    """Return the living children of a process, this one among them: it may have begun a job before this thread looked.

    A dead one whose number this one has got is left to its lease.
    """
    return living_children(parent) | {os.getpid()}
