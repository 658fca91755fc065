"""Start, adopt, crash and stop both servers: `life_cycle.py STATE`, for accounts other than the tests' own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from orchestra.embedded.postgres import EmbeddedPostgres
from orchestra.embedded.processes import read_pid, wait_until
from orchestra.embedded.valkey import EmbeddedValkey


def main(state: Path) -> None:
    """Go through the life of both servers; an assertion fails the run."""
    postgres, valkey = EmbeddedPostgres(state), EmbeddedValkey(state)
    try:
        assert (postgres.ensure(), valkey.ensure()) == (True, True)
        assert (postgres.ensure(), valkey.ensure()) == (False, False)
        pid = read_pid(postgres.data / "postmaster.pid")
        assert pid
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not postgres.ready(), 5)
        assert postgres.ensure() is True
        assert postgres.data.stat().st_uid == os.geteuid()
    finally:
        stopped = (postgres.stop(), valkey.stop())
    assert stopped == (True, True)
    sys.stdout.write(f"done as {os.geteuid()}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
