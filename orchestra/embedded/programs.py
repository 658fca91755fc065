"""The programs that `manage.py run` starts: web, worker, beat."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestra.embedded.paths import PULSES
from orchestra.embedded.ports import WEB_MODULE
from orchestra.embedded.supervisor import Program

# The message is for pickle; the worker takes JSON only, and a container often has no other account.
QUIET_ABOUT_ROOT = ("-W", "ignore:You're running the worker with superuser privileges")

# On SIGTERM the worker waits CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT for its files, then interrupts them: they go back to
# the queue, untouched and uncounted (`files.jobs.release`). Celery's own way is to wait until it is killed.
HAND_BACK_ON_TERM = (("REMAP_SIGTERM", "SIGQUIT"),)

# A new connection for each request would have PostgreSQL load pgvector and the dictionaries each time.
POOLED = (("DATABASE_POOL", "12"),)


_CELERY = ("-m", "celery", "-q", "-A", "celery_app")

PARTS = ("web", "worker", "beat")


def product_programs(
    state: Path, web_socket: int | None, concurrency: int, parts: Sequence[str] = PARTS
) -> tuple[Program, ...]:
    """Return the product's programs, or those named, in starting order; the web serves on the open `web_socket`.

    Worker and beat show their signs of life in the folder PULSES, under the names of their nodes.
    """
    programs = [_worker(state, concurrency), _beat(state)]
    if web_socket is not None:
        argv = (sys.executable, "-m", WEB_MODULE, str(web_socket))
        programs.insert(0, Program("web", argv, POOLED, descriptors=(web_socket,)))
    return tuple(program for program in programs if program.name in parts)


def worker_node(state: Path) -> str:
    """Return the name of a state directory's worker: two on one machine must not take each other's canaries."""
    return f"worker-{hashlib.sha256(os.fsencode(state)).hexdigest()[:6]}@{socket.gethostname()}"


def _worker(state: Path, concurrency: int) -> Program:
    node = worker_node(state)
    options = ("-P", "prefork", "-c", str(concurrency), "-n", node, "--without-mingle", "--without-gossip")
    argv = (sys.executable, *QUIET_ABOUT_ROOT, *_CELERY, "worker", *options)
    return Program("worker", argv, HAND_BACK_ON_TERM, pulse=state / PULSES / node)


def _beat(state: Path) -> Program:
    argv = (sys.executable, *_CELERY, "beat", "--schedule", str(state / "beat-schedule"), "--pidfile", "")
    return Program("beat", argv, pulse=state / PULSES / f"beat@{socket.gethostname()}")
