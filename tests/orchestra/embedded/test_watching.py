"""Signs of life, and servers that are started again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from orchestra.common.errors import OrchestraError
from orchestra.embedded.watching import ServerWatch, Watch


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("orchestra.embedded.watching.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_program_is_silent_when_its_file_keeps_its_time(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "worker"
    watch = Watch(path, silence=60, first_sign=60)
    clock.now += 119
    assert not watch.is_silent(), "it is still being started"
    clock.now += 2
    assert watch.is_silent()
    path.touch()
    assert not watch.is_silent()
    clock.now += 59
    assert not watch.is_silent()
    clock.now += 2
    assert watch.is_silent()


def test_a_clock_set_back_is_a_sign_like_any_other(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "worker"
    path.touch()
    watch = Watch(path, silence=60, first_sign=0)
    clock.now += 59
    os.utime(path, (time.time() - 7200,) * 2)
    assert not watch.is_silent()
    clock.now += 59
    assert not watch.is_silent()


def test_silence_over_a_server_is_forgiven(tmp_path: Path, clock: Clock) -> None:
    watch = Watch(tmp_path / "worker", silence=60, first_sign=0)
    clock.now += 61
    assert watch.is_silent()
    watch.forgive()
    assert not watch.is_silent()


class Server:
    label = "Valkey"

    def __init__(self, *failures: OrchestraError) -> None:
        self.failures = list(failures)
        self.up = True
        self.starts = 0

    def alive(self) -> bool:
        return self.up

    def ensure(self) -> bool:
        self.starts += 1
        if self.failures:
            raise self.failures.pop()
        self.up = True
        return True


def test_a_dead_server_is_started_again_and_a_living_one_left_alone(clock: Clock) -> None:
    said: list[str] = []
    server = Server()
    watch = ServerWatch([server], said.append)
    watch.step()
    assert (server.starts, said) == (0, [])
    server.up = False
    watch.step()
    assert server.starts == 0, "looked at once a second"
    clock.now += 1.1
    watch.step()
    assert server.starts == 1
    assert said[0] == "Valkey has died; it is started again."


def test_a_server_that_does_not_start_ends_nothing_and_is_tried_again(clock: Clock) -> None:
    said: list[str] = []
    server = Server(OrchestraError("The disk is full."))
    server.up = False
    watch = ServerWatch([server], said.append)
    watch.step()
    assert said[-1] == "The disk is full. It is tried again in 5 s."
    clock.now += 4
    watch.step()
    assert server.starts == 1
    clock.now += 2
    watch.step()
    assert server.up
