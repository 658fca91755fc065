"""A command whose database is away says so in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from orchestra.settings.server_variables import BASE_DIR


def run(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "STATE_DIR": str(state), "DATABASE_URL": "", "REDIS_URL": ""}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_database_that_is_away_is_said_with_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "rebuild_keywords")
    assert done.returncode == 1
    assert "orchestra: The database does not answer at the moment." in done.stderr
    assert "make run" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_traceback_is_there_for_who_wants_it(tmp_path: Path) -> None:
    done = run(tmp_path, "rebuild_keywords", "--traceback")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
