"""Bring the database up to date: once among all machines that start together, or by waiting until one of them has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from orchestra.embedded.errors import DatabaseNotReadyError

FIRST_ADMINISTRATOR = "orchestra.accounts.services.ensure_administrator"
PATIENCE = 600.0  # seconds for another machine's migrations
_LOCK = 0x0E5BACE7  # of whoever migrates; any number that nothing else locks
_STEP = 0.5


class FirstAdministrator(Protocol):
    """What the accounts tell about the account that they made."""

    username: str
    password: str
    password_file: Path | None


def prepare_database(password: str = "") -> FirstAdministrator | None:
    """Migrate and make the first administrator, if there is none; others that do so meanwhile wait for each other.

    An empty `password` is generated. Raises DatabaseNotReadyError when another machine does not come to an end.
    """
    with _alone():
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        administrator: FirstAdministrator | None = import_string(FIRST_ADMINISTRATOR)(password=password)
    connections.close_all()
    return administrator


def wait_for_database(stopped: Callable[[], bool], say: Callable[[str], None], patience: float = PATIENCE) -> None:
    """Wait until all migrations of this version are applied, by whomever, or until `stopped`.

    Raises DatabaseNotReadyError after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    told = False
    while not stopped() and (missing := _missing_migrations()):
        if not told:
            say(f"Waiting for {missing} migrations: `manage.py prepare` applies them.")
            told = True
        if time.monotonic() > deadline:
            raise DatabaseNotReadyError
        time.sleep(_STEP)
    connections.close_all()


def _missing_migrations() -> int:
    try:
        executor = MigrationExecutor(connection)
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:  # restarted, or restored from a backup just now
        connection.close()
        return 1


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock in PostgreSQL, which the end of the connection frees too.

    Asked for again and again rather than waited for: a statement that waits holds a snapshot, and CREATE INDEX
    CONCURRENTLY in the other's migrations would wait for it in turn.
    """
    deadline = time.monotonic() + PATIENCE
    while not _ask("SELECT pg_try_advisory_lock(%s)"):
        if time.monotonic() > deadline:
            raise DatabaseNotReadyError
        time.sleep(_STEP)
    try:
        yield
    finally:
        _ask("SELECT pg_advisory_unlock(%s)")


def _ask(statement: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, [_LOCK])
        return bool(cursor.fetchone()[0])
