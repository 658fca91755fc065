"""The supervisor: lines, restarts, orderly stops, and what remains after a killed parent."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from orchestra.embedded.console import CappedLog, Console
from orchestra.embedded.errors import ProgramFailedError
from orchestra.embedded.processes import wait_until
from orchestra.embedded.run_record import TOKEN_VARIABLE, RunRecord, is_held
from orchestra.embedded.supervisor import Policy, Program, Supervisor
from tests.pace import within

STAND_IN = Path(__file__).with_name("stand_in_run.py")
ROOT = Path(__file__).resolve().parents[3]
QUICK_POLICY = Policy(quick=5, backoff=0.05, grace=2)

Run = Callable[[], "subprocess.Popen[str]"]


def script(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code))


def carriers(token: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN_VARIABLE) == token and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


class Stage:
    """A supervisor with its output."""

    def __init__(
        self, directory: Path, *names: str, policy: Policy = QUICK_POLICY, may_judge: Callable[[], bool] = lambda: True
    ) -> None:
        self.output = io.StringIO()
        self.logs = directory / "logs"
        self.console = Console(self.output, self.logs, names)
        self.supervisor = Supervisor(directory, "test-token", self.console, policy, may_judge)

    def run_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.supervisor.step(0.05)

    def until(self, text: str, times: int = 1) -> str:
        deadline = time.monotonic() + within(20)
        while self.output.getvalue().count(text) < times:
            assert time.monotonic() < deadline, self.output.getvalue()
            self.supervisor.step(0.05)
        return self.output.getvalue()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, "web", "worker")
    yield made
    made.supervisor.stop()
    made.console.close()


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Run]:
    runs: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        run = subprocess.Popen(
            [sys.executable, str(STAND_IN), str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.terminate()
        run.communicate(timeout=within(20))


def read_until_up(run: subprocess.Popen[str]) -> str:
    """Read a stand-in run's lines until both programs are up; return its token."""
    assert run.stdout
    seen = ""
    while seen.count("| up") < 2:
        line = run.stdout.readline()
        assert line, seen
        seen += line
    token: str = re.findall(r"token (\w+)", seen)[0]
    return token


def test_every_line_carries_its_programs_name_and_goes_to_its_log(stage: Stage) -> None:
    wait = "; import time; time.sleep(60)"
    stage.supervisor.start([script("web", f"print('hallo\\nzwei'){wait}"), script("worker", f"print('ü'){wait}")])
    stage.until("zwei")
    seen = stage.until("worker | ü")
    assert "web    | hallo\n" in seen
    assert "web    | zwei\n" in seen
    assert (stage.logs / "web.log").read_text().startswith("hallo\nzwei\n")
    assert (stage.logs / "worker.log").read_text().startswith("ü\n")


def test_a_full_log_moves_aside(tmp_path: Path) -> None:
    log = CappedLog(tmp_path / "web.log", cap=100)
    for number in range(50):
        log.write(f"line {number}")
    log.close()
    assert (tmp_path / "web.log").read_text().endswith("line 49\n")
    assert {path.name for path in tmp_path.iterdir()} == {"web.log", "web.log.1"}
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())


def test_a_program_that_dies_is_restarted_and_it_is_said(stage: Stage, tmp_path: Path) -> None:
    mark = tmp_path / "once"
    code = f"""
import pathlib, time
mark = pathlib.Path({str(mark)!r})
ran_before = mark.exists()
mark.touch()
print("ran before:", ran_before)
if ran_before: time.sleep(60)
"""
    stage.supervisor.start([script("web", code)])
    seen = stage.until("ran before: True")
    assert "web ended with status 0 after" in seen


def test_three_quick_deaths_end_everything_with_the_last_lines(stage: Stage) -> None:
    stage.supervisor.start(
        [script("web", "import time; time.sleep(60)"), script("worker", "raise SystemExit('broken: reason')")]
    )
    with pytest.raises(ProgramFailedError, match=r"(?s)worker ended with status 1, 3 times in a row.*broken: reason"):
        stage.until("never")
    stage.supervisor.stop()
    assert carriers("test-token") == []


LIVELY = """
import os, pathlib, sys, time
mark = pathlib.Path(sys.argv[1])
print("up", os.getpid(), flush=True)
while True:
    mark.touch()
    time.sleep(0.05)
"""


class TestWhatHangs:
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Iterator[Stage]:
        made = Stage(tmp_path, "worker", policy=replace(QUICK_POLICY, silence=1, first_sign=10), may_judge=self.judge)
        self.servers_answer = True
        mark = tmp_path / "mark"
        made.supervisor.start([Program("worker", (sys.executable, "-c", LIVELY, str(mark)), pulse=mark)])
        yield made
        made.supervisor.stop()
        made.console.close()

    def judge(self) -> bool:
        return self.servers_answer

    def test_is_killed_and_started_anew(self, stage: Stage) -> None:
        pid = int(re.findall(r"up (\d+)", stage.until("up"))[0])
        stage.run_for(2)
        assert stage.output.getvalue().count("up") == 1, "signs of life keep it running"
        os.kill(pid, signal.SIGSTOP)
        seen = stage.until("up", times=2)
        assert "worker has shown no sign of life for 1 s and is killed." in seen
        assert not psutil.pid_exists(pid)

    def test_is_left_alone_while_a_server_is_away(self, stage: Stage) -> None:
        pid = int(re.findall(r"up (\d+)", stage.until("up"))[0])
        self.servers_answer = False
        os.kill(pid, signal.SIGSTOP)
        stage.run_for(3)
        assert "no sign of life" not in stage.output.getvalue()
        self.servers_answer = True
        stage.until("no sign of life")


def test_what_has_run_well_once_is_started_again_for_ever(stage: Stage, tmp_path: Path) -> None:
    mark = tmp_path / "once"
    code = f"""
import pathlib, time
mark = pathlib.Path({str(mark)!r})
if not mark.exists():
    mark.touch()
    time.sleep(1)
print("again")
"""
    stage.supervisor._policy = replace(QUICK_POLICY, quick=1)
    stage.supervisor.start([script("worker", code)])
    stage.until("again", times=5)


def test_what_is_killed_from_outside_is_started_again_however_often_and_quickly(stage: Stage) -> None:
    stage.supervisor.start([script("worker", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")])
    stage.until("was ended by SIGKILL", times=5)


def test_a_killed_leader_takes_its_group_along_before_the_restart(stage: Stage) -> None:
    family = "import os, time; os.fork(); print(f'pid {os.getpid()}', flush=True); time.sleep(60)"
    stage.supervisor.start([script("worker", family)])
    stage.until("pid", times=2)
    first, second = (int(pid) for pid in re.findall(r"pid (\d+)", stage.output.getvalue()))
    os.kill(min(first, second), signal.SIGKILL)
    stage.until("was ended by SIGKILL")
    assert wait_until(lambda: not {first, second} & set(carriers("test-token")), 5)


def test_a_program_that_does_not_stop_in_time_is_killed(stage: Stage) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    stage.supervisor.start([script("web", code)])
    stage.until("up")
    stage.supervisor.stop(hurry=lambda: True)
    assert "did not stop in time" in stage.output.getvalue()
    assert carriers("test-token") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_leaves_no_process(stand_in: Run, tmp_path: Path, number: signal.Signals) -> None:
    run = stand_in()
    token = read_until_up(run)
    assert len(carriers(token)) == 4
    run.send_signal(number)
    assert run.wait(20) == 0
    assert carriers(token) == []
    assert RunRecord.read(tmp_path) is None


def test_a_second_run_says_where_the_first_one_is(stand_in: Run, tmp_path: Path) -> None:
    read_until_up(stand_in())
    second = stand_in()
    output, _ = second.communicate(timeout=within(20))
    assert second.returncode == 1
    assert "already runs in this folder at http://127.0.0.1:1/" in output
    assert is_held(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_killed_parent_takes_its_programs_along_and_blocks_nothing(stand_in: Run, tmp_path: Path) -> None:
    first = stand_in()
    token = read_until_up(first)
    first.kill()
    first.wait()
    assert not is_held(tmp_path)
    assert wait_until(lambda: len(carriers(token)) <= 2, 5)  # the two that ignore SIGTERM remain
    second = stand_in()
    assert read_until_up(second) != token
    assert carriers(token) == []
