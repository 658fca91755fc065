"""A second installation for tests of backups: a database of its own on the tests' server, and folders of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.db import connection

from tests.database import second_connection

ROOT = Path(__file__).resolve().parents[3]
QUESTIONS = ("harbour master", "bakery", "opens at four", "who treats children", "register of boats")
_SEARCHES = """
import json, sys
from orchestra.accounts.models import User
from search.services import search
from tests.orchestra.backup.installation import found
json.dump({user.username: found(user) for user in User.objects.order_by("username")}, sys.stdout)
"""


def found(user: Any) -> list[list[list[Any]]]:
    """Return all that a user's searches find, as JSON has it: file, place, passage, score and its parts."""
    from search.services import search

    return [
        [
            [str(hit.file_id), hit.file_name, hit.ordinal, str(hit.chunk_id), hit.text, hit.score, repr(hit.parts)]
            for hit in search(user, question, limit=100, remember=False).hits
        ]
        for question in QUESTIONS
    ]


@dataclass(frozen=True)
class Installation:
    """Where an installation is: a database on the tests' server, a state directory, a folder of bytes."""

    database: str
    state: Path
    uploads: Path

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a management command there."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**os.environ, **self._environment(), **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def done(self, *arguments: str, **environment: str) -> str:
        """Run a command that must succeed, and return what it said."""
        process = self.manage(*arguments, **environment)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def searches(self) -> dict[str, Any]:
        """Return what every user's searches find there, asked in a process of its own."""
        return json.loads(self.done("shell", "-v0", "-c", _SEARCHES))  # type: ignore[no-any-return]

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """Connect to the database."""
        facts = connection.settings_dict
        with psycopg.connect(host=facts["HOST"], user=facts["USER"], dbname=self.database, autocommit=True) as other:
            yield other

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.connected() as database:
            return database.execute(query).fetchall()

    def stored(self) -> dict[str, bytes]:
        """Return the bytes that are stored, by key."""
        paths = (path for path in self.uploads.glob("files/*/*") if path.is_file())
        return {str(path.relative_to(self.uploads)): path.read_bytes() for path in paths}

    def _environment(self) -> dict[str, str]:
        facts = connection.settings_dict
        return {
            "DATABASE_URL": f"postgresql://{facts['USER']}@/{self.database}?host={quote(facts['HOST'], safe='')}",
            "STATE_DIR": str(self.state),
            "UPLOAD_DIR": str(self.uploads),
        }


@contextmanager
def new_installation(name: str, folder: Path) -> Iterator[Installation]:
    """Give an installation with an empty database; it is dropped at the end."""
    database = f"test_{name}"
    with second_connection() as server:
        server.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{database}"')
        try:
            yield Installation(database, folder / "state", folder / "uploads")
        finally:
            server.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def this_installation() -> Installation:
    """Return the one that the tests themselves run in."""
    return Installation(str(connection.settings_dict["NAME"]), settings.STATE_DIR, Path(settings.UPLOAD_DIR))
