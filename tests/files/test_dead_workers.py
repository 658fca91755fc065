"""A new process of a worker takes over from those that died, and from nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from files import dead_workers, jobs
from files.models import FileRecord, FileStatus, JobState, ProcessingJob
from orchestra.accounts.models import User
from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessPulse, ProcessRole

MakeFile = Callable[..., FileRecord]
NODE = "worker-1@host"
DEAD = 4_000_000  # no process has such a number


@pytest.fixture(autouse=True)
def _in_this_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the test's connection, be a worker that was just started, and send no hints."""
    monkeypatch.setattr(connection, "close", lambda: None)
    monkeypatch.setattr(dead_workers, "_BEGAN", time.monotonic())
    monkeypatch.setattr(jobs, "publish_hints", lambda _: None)
    monkeypatch.setattr(jobs, "waiting_hints", lambda: 0)


def _begun(alice: User, make_file: MakeFile, *holders: str) -> dict[str, FileRecord]:
    """Let each of these processes have a file; return them by process."""
    found: dict[str, FileRecord] = {}
    for holder in holders:
        file = make_file(alice, holder.encode(), f"{len(found)}.txt")
        claim = jobs.claim_next(holder)
        assert claim is not None
        assert claim.file_id == file.pk
        found[holder] = file
    ProcessingJob.objects.update(started_at=Now() - timedelta(minutes=1))
    return found


def _states(files: dict[str, FileRecord]) -> dict[str, str]:
    return {holder: FileRecord.objects.get(pk=file.pk).status for holder, file in files.items()}


def test_jobs_of_dead_processes_of_the_same_worker_are_begun_anew(alice: User, make_file: MakeFile) -> None:
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        mine, dead, alive = (f"{NODE}/{pid}" for pid in (os.getpid(), DEAD, living.pid))
        elsewhere, longer = f"worker-2@host/{DEAD}", f"{NODE}-2/{DEAD}"
        files = _begun(alice, make_file, mine, dead, alive, elsewhere, longer)
        dead_workers.take_over(NODE, os.getpid())
    finally:
        living.communicate(b"\n", timeout=20)
    queued, read = FileStatus.QUEUED, FileStatus.PROCESSING
    # This very process may have begun a job while its thread was on its way here.
    assert _states(files) == {mine: read, dead: queued, alive: read, elsewhere: read, longer: read}
    assert not ProcessingJob.objects.filter(state=JobState.RUNNING, worker=dead).exists()


def test_a_process_that_ended_and_was_not_yet_waited_for_is_dead(alice: User, make_file: MakeFile) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    files = _begun(alice, make_file, f"{NODE}/{ended.pid}")
    dead_workers.take_over(NODE, os.getpid())
    ended.wait(20)
    assert set(_states(files).values()) == {FileStatus.QUEUED}


@pytest.mark.parametrize(("parent", "failures"), [(1, 1), (2, 0)], ids=["the same parent", "a new parent"])
def test_a_file_is_blamed_for_its_process_and_not_for_the_whole_worker(
    alice: User, make_file: MakeFile, parent: int, failures: int
) -> None:
    pulses.show(pulses.Sign(NODE, ProcessRole.WORKER, pid=1, slots=2))
    ProcessPulse.objects.update(started_at=Now() - timedelta(hours=1))
    _begun(alice, make_file, f"{NODE}/{DEAD}")
    dead_workers.take_over(NODE, parent)
    assert ProcessingJob.objects.get().failures == failures


def test_nobody_died_and_nothing_is_swept(alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "sweep", lambda: pytest.fail("swept"))
    dead_workers.take_over(NODE, os.getpid())
    files = _begun(alice, make_file, f"other@host/{DEAD}")
    dead_workers.take_over(NODE, os.getpid())
    assert set(_states(files).values()) == {FileStatus.PROCESSING}


def test_a_database_that_is_away_leaves_it_to_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("the server is away")

    monkeypatch.setattr(pulses, "begun", away)
    monkeypatch.setattr(jobs, "end_leases", lambda *_: pytest.fail("asked after all"))
    dead_workers.take_over(NODE, os.getpid())
