"""The embedded servers for an ordinary user, tried by root through the account nobody."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from orchestra.embedded.paths import traversable
from orchestra.embedded.processes import is_root

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = Path(sysconfig.get_path("purelib"))
RECENT = "import sys; sys.exit(sys.version_info < (3, 11))"


def interpreter_for(uid: int) -> str | None:
    """Find a Python that the account can run: a virtual environment's may link to one under /root."""
    for candidate in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            if subprocess.run([candidate, "-c", RECENT], user=uid, cwd="/", check=False).returncode == 0:
                return candidate
        except OSError:
            continue
    return None


@pytest.mark.skipif(not is_root(), reason="the tests run as an ordinary user already")
def test_an_ordinary_user_starts_adopts_and_stops_both_servers(open_directory: Path) -> None:
    account = pwd.getpwnam("nobody")
    python = interpreter_for(account.pw_uid)
    if python is None or not (traversable(ROOT, account.pw_uid) and traversable(PACKAGES, account.pw_uid)):
        pytest.skip("the account nobody cannot reach Python, the clone or its packages")
    os.chown(open_directory, account.pw_uid, account.pw_gid)
    finished = subprocess.run(
        [python, str(Path(__file__).with_name("life_cycle.py")), str(open_directory / "a clone" / "var")],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{PACKAGES}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.strip() == f"done as {account.pw_uid}"
