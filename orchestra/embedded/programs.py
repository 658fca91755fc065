"""The programs that `manage.py run` starts: web, worker, beat."""

from __future__ import annotations

import socket
import sys
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


def product_programs(state: Path, pulses: Path, web_socket: int, concurrency: int) -> tuple[Program, ...]:
    """Return the product's programs in starting order; the web serves on the open descriptor `web_socket`.

    Worker and beat show their signs of life in the folder `pulses`, under the names that Celery gives its nodes.
    """
    host = socket.gethostname()
    celery = ("-m", "celery", "-q", "-A", "celery_app")
    worker = ("worker", "-P", "prefork", "-c", str(concurrency), "--without-mingle", "--without-gossip")
    beat = ("beat", "--schedule", str(state / "beat-schedule"), "--pidfile", "")
    return (
        Program("web", (sys.executable, "-m", WEB_MODULE, str(web_socket)), POOLED, descriptors=(web_socket,)),
        Program(
            "worker",
            (sys.executable, *QUIET_ABOUT_ROOT, *celery, *worker),
            HAND_BACK_ON_TERM,
            pulse=pulses / f"celery@{host}",
        ),
        Program("beat", (sys.executable, *celery, *beat), pulse=pulses / f"beat@{host}"),
    )
