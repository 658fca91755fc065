"""A run with small stand-in programs, for tests that kill it: `stand_in_run.py STATE`."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestra.common.errors import OrchestraError
from orchestra.embedded.console import Console
from orchestra.embedded.run_record import hold_run, publish_address
from orchestra.embedded.stopping import StopRequest
from orchestra.embedded.supervisor import Policy, Program, Supervisor

# A program with a child of its own, as a worker's pool is, that both run until they are told to stop.
FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True: time.sleep(1)
print("up", os.getpid(), flush=True)
while True: time.sleep(0.05)
"""


def main(state: Path) -> None:
    """Run two programs until a stop signal comes."""
    stop = StopRequest()
    with hold_run(state, grace=0.5) as record:
        console = Console(sys.stdout, state / "logs", ("web", "worker"))
        supervisor = Supervisor(state, record.token, console, Policy(grace=2))
        publish_address(state, record, "http://127.0.0.1:1/")
        supervisor.start([Program(name, (sys.executable, "-c", FAMILY)) for name in ("web", "worker")])
        console.say(f"token {record.token}")
        while not stop.made():
            supervisor.step(0.05)
        supervisor.stop(stop.urgent)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except OrchestraError as error:
        sys.exit(error.message)
