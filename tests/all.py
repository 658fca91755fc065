"""All tests, in two runs side by side: `python -m tests.all`, or `make test`.

One breaks the whole product again and again, looks at it in a browser, uses it as people do, and mostly waits for it;
the other one computes: together they take the time of the longer one. The output of the first follows when the second
is through.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WAITING = ("tests/faults", "tests/browser", "tests/journeys")
_COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped|deselected|xfailed|warnings?)")


def main() -> int:
    """Run both; return the worse exit status."""
    began = time.monotonic()
    left_out = [f"--ignore={folder}" for folder in WAITING]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        beside = subprocess.Popen(
            _command(*WAITING),
            cwd=ROOT,
            env=_environment("waiting"),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            status, closing = _printed(_command(*left_out))
            second = beside.wait()
        finally:
            if beside.poll() is None:  # interrupted: pytest stops what it started
                beside.send_signal(signal.SIGINT)
                beside.wait(120)
        output.seek(0)
        said = output.read()
    sys.stdout.write(f"{said}\n{_sum(closing, said)} in {time.monotonic() - began:.2f}s\n")
    return max(status, second)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-u", "-m", "pytest", "-m", "not benchmark", "--timeout", "600", *arguments]


def _environment(group: str) -> dict[str, str]:
    """Return the variables of a half; each one slows the other down, so that neither is in a hurry."""
    return {"TEST_PATIENCE": "6", **os.environ, "TEST_GROUP": group}


def _printed(command: list[str]) -> tuple[int, str]:
    """Run a command, pass its output on as it comes, and return its status and last line."""
    last = ""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            last = line if line.strip() else last
    return process.returncode, last


def _sum(*outputs: str) -> str:
    """Return the counts of pytest's closing lines together, in its words."""
    counts: Counter[str] = Counter()
    for output in outputs:
        closing = output.strip().rpartition("\n")[2]
        counts.update({word: int(number) for number, word in _COUNTS.findall(closing)})
    return ", ".join(f"{number} {word}" for word, number in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main())
