"""The embedded PostgreSQL: first start, adoption, crashes, difficult paths, several at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestra.embedded import paths
from orchestra.embedded.errors import EmbeddedServiceError
from orchestra.embedded.postgres import EmbeddedPostgres, memory_settings
from orchestra.embedded.postgres_binaries import check_cpu
from orchestra.embedded.processes import is_root, read_pid, wait_until


def query(server: EmbeddedPostgres, sql: str) -> Any:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def test_the_address_is_known_before_anything_is_started(state: Path) -> None:
    address = EmbeddedPostgres(state).connection()
    assert address["HOST"].startswith("/")
    assert address["PORT"] == ""
    assert not state.exists()


def test_first_callers_together_make_one_server_that_later_ones_adopt(server: EmbeddedPostgres) -> None:
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(server.ensure())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, False, True]
    assert EmbeddedPostgres(server.state).ensure() is False
    assert query(server, "select current_database()") == ("orchestra",)


def test_a_stopped_server_starts_again(server: EmbeddedPostgres) -> None:
    server.ensure()
    assert server.stop() is True
    assert not server.ready()
    assert server.stop() is False
    assert server.ensure() is True


def test_the_log_has_no_values_of_statements_that_failed(server: EmbeddedPostgres) -> None:
    server.ensure()
    query(server, "create table people (name text primary key, at date)")
    query(server, "insert into people values ('hunter1')")
    for wrong in ("insert into people values ('hunter1')", "insert into people values ('x', 'hunter3')", "hunter2 ("):
        with pytest.raises(psycopg.Error):
            query(server, wrong)
    log = server.log.read_text()
    assert "duplicate key" in log, "what went wrong is told"
    assert "hunter1" not in log
    assert "insert into" not in log


def test_the_server_has_a_recent_pgvector_unicode_and_safe_settings(server: EmbeddedPostgres) -> None:
    server.ensure()
    query(server, "create extension vector")
    query(server, "create extension pg_trgm")
    version = query(server, "select extversion from pg_extension where extname = 'vector'")[0]
    assert tuple(map(int, version.split("."))) >= (0, 8, 6)
    assert query(server, "select lower('GRÖSSE Ä')") == ("grösse ä",)
    assert query(server, "select cardinality(show_trgm('größe'))") == (6,)  # four, were ö and ß dropped
    assert query(server, "select current_setting('fsync'), current_setting('synchronous_commit')") == ("on", "on")
    assert query(server, "select current_setting('listen_addresses')") == ("",)


def test_two_clones_run_at_once_one_of_them_in_a_difficult_path(
    server: EmbeddedPostgres, make_state: Callable[[str], Path]
) -> None:
    other = EmbeddedPostgres(make_state("ünïcode with spaces " + "long " * 30))
    assert len(other.connection()["HOST"]) < 80
    for number, each in enumerate((server, other)):
        each.ensure()
        query(each, f"create table mark as select {number} as n")
    assert [query(each, "select n from mark") for each in (server, other)] == [(0,), (1,)]


def test_committed_rows_survive_a_killed_server(server: EmbeddedPostgres) -> None:
    server.ensure()
    query(server, "create table kept as select 42 as n")
    pid = read_pid(server.data / "postmaster.pid")
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not server.ready(), 5)
    assert server.ensure() is True
    assert query(server, "select n from kept") == (42,)


def test_a_pid_file_that_names_a_stranger_does_not_block_the_start(server: EmbeddedPostgres) -> None:
    server.ensure()
    pid_file = server.data / "postmaster.pid"
    content = pid_file.read_text().splitlines()
    server.stop()
    stranger = subprocess.Popen(["sleep", "60"], user=server.account.uid if server.account else None)
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *content[1:]]) + "\n")
        assert server.stop() is False
        assert server.ensure() is True
    finally:
        stranger.kill()
        stranger.wait()


def test_data_of_another_major_version_is_refused_with_the_way_out(server: EmbeddedPostgres) -> None:
    server.ensure()
    server.stop()
    version = server.data / "PG_VERSION"
    ours = version.read_text()
    version.write_text("15\n")
    with pytest.raises(EmbeddedServiceError, match="PostgreSQL 15"):
        server.ensure()
    version.write_text(ours)


def test_data_removed_under_a_living_server_gives_a_fresh_one(state: Path) -> None:
    server = EmbeddedPostgres(state)
    server.ensure()
    query(server, "create table gone as select 1 as n")
    shutil.rmtree(server.data)
    assert server.ensure() is True
    assert query(server, "select to_regclass('gone')") == (None,)


def test_a_socket_directory_that_is_not_ours_is_refused(state: Path, open_directory: Path) -> None:
    server = EmbeddedPostgres(state)
    sockets = Path(server.connection()["HOST"])
    sockets.parent.mkdir(parents=True)
    sockets.symlink_to(open_directory)
    with pytest.raises(EmbeddedServiceError, match="belongs to uid"):
        server.ensure()
    sockets.unlink()
    if is_root():
        sockets.mkdir()
        os.chown(sockets, 12345, 12345)
        with pytest.raises(EmbeddedServiceError, match="12345"):
            server.ensure()


def test_a_cpu_without_the_needed_instructions_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    info = tmp_path / "cpuinfo"
    info.write_text("flags : sse sse2 avx fma\n")
    with pytest.raises(EmbeddedServiceError, match="avx2, bmi2"):
        check_cpu(info)
    info.write_text("flags : sse avx avx2 bmi2 fma\n")
    check_cpu(info)


@pytest.mark.skipif(not is_root(), reason="only root has a clone that its service account cannot enter")
def test_a_clone_that_is_closed_to_the_account_keeps_its_data_elsewhere(
    open_directory: Path, make_state: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = open_directory / "shared"
    monkeypatch.setattr(paths, "SHARED_HOME", shared)
    state = make_state("closed")
    state.parent.mkdir(mode=0o700)
    server = EmbeddedPostgres(state)
    server.ensure()
    assert server.home.parent == shared
    query(server, "create table kept as select 1 as n")
    shutil.rmtree(state)  # the clone is made again at the same place
    again = EmbeddedPostgres(state)
    again.ensure()
    assert query(again, "select to_regclass('kept')") == (None,)
    assert len(list(shared.iterdir())) == 2
    again.stop()  # before the place of the data is forgotten


class TestMemory:
    GB = 1024**3

    @pytest.mark.parametrize(
        ("memory", "buffers", "cache"),
        [(1, "256MB", "512MB"), (8, "512MB", "4096MB"), (24, "1024MB", "12288MB"), (256, "1024MB", "131072MB")],
    )
    def test_a_sixteenth_within_bounds_and_half_for_the_planner(self, memory: int, buffers: str, cache: str) -> None:
        assert memory_settings(memory * self.GB) == {"shared_buffers": buffers, "effective_cache_size": cache}

    def test_the_planner_is_never_told_of_less_than_the_buffers(self) -> None:
        assert memory_settings(self.GB // 4) == {"shared_buffers": "256MB", "effective_cache_size": "256MB"}
