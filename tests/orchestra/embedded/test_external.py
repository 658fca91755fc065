"""External servers that do not answer stop the start with one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra.settings.server_variables import BASE_DIR


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.services
@pytest.mark.parametrize(
    ("name", "url", "example"),
    [
        ("DATABASE_URL", "postgresql://someone:hunter2@127.0.0.1:{}/name", "postgresql://user:password@host:5432/name"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:{}/0", "redis://:password@host:6379/0"),
        ("REDIS_URL", "unix:///nowhere/hunter-{}.sock", "redis://:password@host:6379/0"),
    ],
)
def test_run_says_in_one_line_what_to_write(
    name: str, url: str, example: str, closed_port: int, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "run"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "STATE_DIR": str(tmp_path), name: url.format(closed_port)},
    )

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert name in line
    assert example in line
    assert "hunter2" not in line
    assert "started" not in done.stdout, "nothing is started upon a server that is not there"
