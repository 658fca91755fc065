"""The programs that `manage.py run` starts: web, worker, beat."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

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
    """Return the product's programs, or those named, in starting order; the web serves on the open `web_socket`."""
    programs = [_worker(concurrency), _beat(state)]
    if web_socket is not None:
        argv = (sys.executable, "-m", WEB_MODULE, str(web_socket))
        programs.insert(0, Program("web", argv, POOLED, descriptors=(web_socket,)))
    return tuple(program for program in programs if program.name in parts)


def _worker(concurrency: int) -> Program:
    worker = ("worker", "-P", "prefork", "-c", str(concurrency), "--without-mingle", "--without-gossip")
    return Program("worker", (sys.executable, *QUIET_ABOUT_ROOT, *_CELERY, *worker), HAND_BACK_ON_TERM)


def _beat(state: Path) -> Program:
    beat = ("beat", "--schedule", str(state / "beat-schedule"), "--pidfile", "")
    return Program("beat", (sys.executable, *_CELERY, *beat))
