"""The embedded Valkey: start, adoption, crashes, difficult paths."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from orchestra.embedded import valkey
from orchestra.embedded.errors import EmbeddedServiceError
from orchestra.embedded.processes import read_pid, wait_until
from orchestra.embedded.valkey import EmbeddedValkey
from tests.pace import within


def client(server: EmbeddedValkey) -> redis.Redis:
    return redis.Redis.from_url(server.url())


def test_urls_name_the_same_socket_in_both_spellings(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "var")
    assert server.url(2) == f"unix://{server.socket}?db=2"
    assert server.broker_url(3) == f"redis+socket://{server.socket}?virtual_host=3"
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("name", ["plain", "with a space", "ünïcode " + "lang" * 40])
def test_it_starts_is_adopted_and_stops(make_state: Callable[[str], Path], name: str) -> None:
    state = make_state(name)
    server = EmbeddedValkey(state)
    assert server.ensure() is True
    assert EmbeddedValkey(state).ensure() is False
    with client(server) as connection:
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert server.stop() is True
    assert server.stop() is False


def test_keys_survive_a_killed_server(state: Path) -> None:
    server = EmbeddedValkey(state)
    server.ensure()
    with client(server) as connection:
        connection.set("kept", "yes")
    pid = read_pid(server.data / "valkey.pid")
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not server.ready(), 5)
    assert server.ensure() is True
    with client(server) as connection:
        assert connection.get("kept") == b"yes"


def test_data_removed_under_a_living_server_gives_a_fresh_one(state: Path) -> None:
    server = EmbeddedValkey(state)
    server.ensure()
    shutil.rmtree(server.data)
    assert server.ensure() is True
    with client(server) as connection:
        connection.set("works", "1")


def test_one_that_dies_in_its_start_is_not_waited_for(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*valkey.SETTINGS, "--aclfile", str(state / "is not there"))  # found out when nobody watches any more
    monkeypatch.setattr(valkey, "SETTINGS", broken)
    began = time.monotonic()
    with pytest.raises(EmbeddedServiceError, match="Valkey did not start"):
        EmbeddedValkey(state).ensure()
    assert time.monotonic() - began < within(20)
    monkeypatch.undo()
    server = EmbeddedValkey(state)
    assert server.ensure() is True
    server.stop()


def test_two_clones_run_at_once(make_state: Callable[[str], Path]) -> None:
    for server in (EmbeddedValkey(make_state("first")), EmbeddedValkey(make_state("second"))):
        assert server.ensure() is True
        with client(server) as connection:
            assert connection.dbsize() == 0
            connection.set("mine", "1")
