"""Failpoints: what may be written, what then happens, and that nothing does where none is armed."""

from __future__ import annotations

import ast
import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestra.common import failpoints
from orchestra.common.failpoints import FailpointReached, reach
from tests.architecture.tree import ROOT, parsed, sources

POINT = "chunk.written"


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def reached_in_code() -> Counter[str]:
    """Return how often the product's code has each place."""
    return Counter(
        call.args[0].value
        for path in sources(tests=False)
        for call in ast.walk(parsed(path))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "failpoints.reach"
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    )


def test_every_place_stands_in_the_code_once_and_in_the_table() -> None:
    assert reached_in_code() == dict.fromkeys(failpoints.POINTS, 1)


def test_the_page_lists_every_place_with_its_sentence() -> None:
    page = (ROOT / "docs/reliability.md").read_text()
    missing = [name for name, what in failpoints.POINTS.items() if f"| `{name}` | {what} |" not in page]
    assert missing == []


def test_nothing_happens_where_nothing_is_armed() -> None:
    for name in failpoints.POINTS:
        reach(name)
    assert not failpoints.are_armed()


def test_an_order_is_carried_out_at_each_visit_or_at_the_one_that_is_named() -> None:
    failpoints.arm(f"{POINT}=raise:2;job.claimed=raise")
    reach(POINT)
    with pytest.raises(FailpointReached):
        reach(POINT)
    reach(POINT)
    for _ in range(2):
        with pytest.raises(FailpointReached):
            reach("job.claimed")


@pytest.mark.parametrize(("action", "number"), [("disk_full", errno.ENOSPC), ("io_error", errno.EIO)])
def test_a_disk_can_be_full_or_broken(action: str, number: int) -> None:
    failpoints.arm(f"{POINT}={action}")
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        reach(POINT)
    assert caught.value.errno == number


def test_a_delay_is_as_long_as_it_says() -> None:
    failpoints.arm(f"{POINT}=sleep:0.05")
    began = time.monotonic()
    reach(POINT)
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no.such=kill", "no failpoint 'no.such'"),
        (f"{POINT}=explode", "an action of kill, stop"),
        (POINT, "an action of kill, stop"),
        (f"{POINT}=kill:soon", "'soon' is no number"),
        (f"{POINT}=sleep", "'' is no number"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        failpoints.parse(text)


def _visit(directory: Path, times: int = 1) -> int:
    """Visit the place in a process of its own; return how that ended."""
    code = f"from orchestra.common import failpoints as f\nf.arm('@{directory}')\n" + f"f.reach('{POINT}')\n" * times
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode


def test_in_a_directory_visits_of_all_processes_count_and_a_kill_happens_once(tmp_path: Path) -> None:
    failpoints.arm(f"@{tmp_path}")
    (tmp_path / "spec").write_text(f"{POINT}=kill:3")
    assert _visit(tmp_path, 2) == 0
    assert _visit(tmp_path) == -signal.SIGKILL
    assert _visit(tmp_path, 3) == 0
    assert len((tmp_path / "reached" / POINT).read_text().splitlines()) == 6


def test_in_a_directory_orders_change_while_the_process_runs(tmp_path: Path) -> None:
    failpoints.arm(f"@{tmp_path}")
    reach(POINT)
    (tmp_path / "spec").write_text(f"{POINT}=raise")
    with pytest.raises(FailpointReached):
        reach(POINT)
    visits = (tmp_path / "reached" / POINT).read_text().splitlines()
    assert [int(line.split()[0]) for line in visits] == [os.getpid()] * 2
