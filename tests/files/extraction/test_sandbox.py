from __future__ import annotations

import itertools
import multiprocessing
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from files.extraction import registry
from files.extraction.base import ExtractionError, Source
from files.extraction.document import Piece, ReadBy
from files.extraction.errors import (
    LimitReached,
    MalformedFile,
    MemoryLimit,
    OutputLimit,
    ReaderCrashed,
    TimeLimit,
    UnsupportedFormat,
)
from files.extraction.isolation import fork_server, landlock
from files.extraction.isolation.confinement import SandboxLevel
from files.extraction.limits import MIB, Limits
from files.extraction.sandbox import extract_in_sandbox, sandbox_level
from tests.files.extraction.contract import facts, text_of, warnings_of
from tests.pace import within

LINUX = sys.platform == "linux"
TYPE = "x-test/misbehaving"
SHORT = Limits(wall_seconds=20, cpu_seconds=1, memory_bytes=256 * MIB)

Run = Callable[..., list[Piece]]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Source]:
    line = registry.Format("", (TYPE,), ("misbehaving.Misbehaving",), package="tests.files.extraction")
    monkeypatch.setattr(registry, "FORMATS", [*registry.FORMATS, line])

    def make(deed: str) -> Source:
        path = tmp_path / deed
        path.write_text(deed)
        return Source(path, deed, TYPE)

    return make


@pytest.fixture
def run(source: Callable[[str], Source]) -> Run:
    return lambda deed, limits=SHORT: list(extract_in_sandbox(source(deed), limits))


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    fork_server.server_pid()
    before = _open_files()
    yield
    _eventually(lambda: not _readers())
    assert _open_files() <= before + 1


def _readers() -> list[psutil.Process]:
    return psutil.Process(fork_server.server_pid()).children(recursive=True)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if LINUX else 0


def _eventually(true: Callable[[], bool], seconds: float = 5) -> None:
    until = time.monotonic() + within(seconds)
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_text_comes_through(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Some words.")
    assert text_of(list(extract_in_sandbox(Source(path, "a.txt", "text/plain")))) == "Some words."


def test_an_unknown_type_is_refused_without_a_process() -> None:
    with pytest.raises(UnsupportedFormat):
        extract_in_sandbox(Source(Path("/nowhere"), "x.djvu", "image/vnd.djvu"))


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        ("spin", TimeLimit),
        ("eat", MemoryLimit),
        ("crash", ReaderCrashed),
        ("abort", ReaderCrashed),
        ("leave", ReaderCrashed),
        ("lie", ReaderCrashed),
        ("refuse", MalformedFile),
    ],
)
def test_each_way_to_fail_has_its_code(run: Run, deed: str, error: type[ExtractionError]) -> None:
    with pytest.raises(error) as raised:
        run(deed)
    assert raised.value.code == error.code
    assert raised.value.message


@pytest.mark.parametrize(
    ("deed", "code"),
    [("+spin", "time_limit"), ("+eat", "memory_limit"), ("+crash", "reader_crashed"), ("+refuse", "malformed")],
)
def test_text_read_before_a_failure_is_kept(run: Run, deed: str, code: str) -> None:
    pieces = run(deed)
    assert text_of(pieces) == "first words"
    assert warnings_of(pieces) == [code]


def test_the_clock_ends_a_reader_that_only_waits(run: Run) -> None:
    started = time.monotonic()
    with pytest.raises(TimeLimit):
        run("wait", Limits(wall_seconds=0.5))
    assert time.monotonic() - started < within(15)


def test_the_clock_does_not_count_a_slow_consumer(source: Callable[[str], Source]) -> None:
    pieces = extract_in_sandbox(source("+report"), Limits(wall_seconds=0.5))
    assert isinstance(next(pieces), ReadBy)
    next(pieces)
    time.sleep(0.8)
    assert warnings_of(list(pieces)) == []


def test_something_else_is_done_while_a_reader_is_silent(source: Callable[[str], Source]) -> None:
    called: list[float] = []

    def meanwhile() -> bool:
        called.append(time.monotonic())
        return len(called) < 50

    with pytest.raises(TimeLimit):
        list(extract_in_sandbox(source("wait"), Limits(wall_seconds=1.0), meanwhile))
    assert called[49] - called[0] < 0.5, "there was more to do, so it is done at once"
    pauses = [later - earlier for earlier, later in itertools.pairwise(called[49:])]
    assert min(pauses) > 0.15, "there was no more, so the reader is waited for"


def test_what_is_done_meanwhile_does_not_count_as_the_reader_s_time(source: Callable[[str], Source]) -> None:
    worked: list[float] = []

    def meanwhile() -> bool:
        if not worked:
            time.sleep(1.2)
            worked.append(1.2)
        return False

    with pytest.raises(TimeLimit):
        list(extract_in_sandbox(source("wait"), Limits(wall_seconds=1.0), meanwhile))
    assert worked


def test_what_breaks_meanwhile_ends_the_reader(source: Callable[[str], Source]) -> None:
    def broken() -> bool:
        raise KeyError("broken")

    with pytest.raises(KeyError):
        list(extract_in_sandbox(source("wait"), Limits(wall_seconds=5.0), broken))
    assert not _readers()


def test_endless_text_ends_at_the_limit(run: Run) -> None:
    pieces = run("talk", Limits(output_bytes=MIB, output_floor=MIB))
    assert 0.9 * MIB < len(text_of(pieces)) <= MIB
    assert warnings_of(pieces) == [OutputLimit.code]


def test_a_message_says_what_the_reader_said(run: Run) -> None:
    with pytest.raises(MalformedFile) as raised:
        run("refuse")
    assert (raised.value.message, raised.value.hint) == ("not like this", "like that")


def test_closing_early_ends_the_process(source: Callable[[str], Source]) -> None:
    pieces = extract_in_sandbox(source("+spin"), Limits())
    assert isinstance(next(pieces), ReadBy)
    next(pieces)
    assert _readers()
    pieces.close()
    assert not _readers()


def test_what_a_reader_started_ends_with_it(run: Run) -> None:
    assert text_of(run("breed")) == "bred"
    _eventually(lambda: not _readers())


@pytest.mark.skipif(not LINUX, reason="other systems have fewer protections")
def test_a_reader_has_no_secret_no_network_and_few_files(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRA_TEST_SECRET", "hush")
    fork_server.shut_down()
    found = facts(run("report"))
    assert "secret" not in found  # an empty fact is not sent
    assert found["pid"] == found["group"] != os.getpgid(0)
    assert isinstance(found["files"], int)
    assert found["files"] <= 6
    assert "NoNewPrivs:\t1" in str(found["status"])
    if sandbox_level().no_network:
        assert found["network"] is False


def test_a_reader_cannot_fill_the_disk(run: Run) -> None:
    with pytest.raises(ExtractionError):
        run("write", Limits(written_bytes=1000))
    Path("/tmp/orchestra-sandbox-test").unlink(missing_ok=True)


def test_the_level_of_protection_is_told() -> None:
    level = sandbox_level()
    assert level.limits is LINUX
    assert level.dies_with_parent is LINUX
    assert level.filesystem is (landlock.version() > 0)
    assert level.landlock_version == landlock.version()
    assert level.no_capabilities is LINUX
    assert set(level.missing) == {name for name in SandboxLevel.__slots__ if getattr(level, name) is False}


def test_a_dead_server_is_started_again(run: Run) -> None:
    dead = fork_server.server_pid()
    psutil.Process(dead).kill()
    assert facts(run("report"))["pid"]
    assert fork_server.server_pid() != dead


def test_a_server_that_dies_takes_its_readers_along(source: Callable[[str], Source]) -> None:
    pieces = extract_in_sandbox(source("+wait"), Limits(wall_seconds=20))
    assert isinstance(next(pieces), ReadBy)
    next(pieces)
    (reader,) = _readers()
    psutil.Process(fork_server.server_pid()).kill()
    with pytest.raises(Exception, match="reading process"):
        next(pieces)
    _eventually(lambda: not reader.is_running() or reader.status() == psutil.STATUS_ZOMBIE)


def test_many_files_at_once_do_not_mix(tmp_path: Path) -> None:
    def one(at: int) -> str:
        path = tmp_path / f"{at}.txt"
        path.write_text(f"file {at} " * 2000)
        return text_of(list(extract_in_sandbox(Source(path, path.name, "text/plain"))))

    with ThreadPoolExecutor(4) as pool:
        for at, text in enumerate(pool.map(one, range(24))):
            assert set(text.split()) == {"file", str(at)}


def test_a_reader_outlives_the_thread_that_started_the_server(run: Run) -> None:
    fork_server.shut_down()
    thread = threading.Thread(target=fork_server.server_pid)
    thread.start()
    thread.join()
    assert facts(run("report"))["pid"]


@pytest.mark.skipif(not LINUX, reason="daemonic workers fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # 3.12 warns of any fork beside threads; Celery does it too
def test_works_in_a_daemonic_worker_forked_after_the_server_was_started(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Some words.")
    parent = fork_server.server_pid()
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.get_context("fork").Process(target=_work, args=(path, theirs), daemon=True)
    worker.start()
    text, server = ours.recv()
    worker.join(10)
    ours.close()
    theirs.close()
    assert text == "Some words."
    assert server != parent
    assert fork_server.server_pid() == parent
    _eventually(lambda: not psutil.pid_exists(server))


def _work(path: Path, answer: object) -> None:
    text = text_of(list(extract_in_sandbox(Source(path, "a.txt", "text/plain"))))
    answer.send((text, fork_server.server_pid()))  # type: ignore[attr-defined]


def test_a_warm_start_takes_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Some words.")
    times = []
    for _ in range(15):
        started = time.perf_counter()
        list(extract_in_sandbox(Source(path, "a.txt", "text/plain")))
        times.append(time.perf_counter() - started)
    assert statistics.median(times) < within(0.5)  # 6 to 13 ms on an idle machine; the bound leaves room for a busy one


def test_limits_are_errors_of_one_family() -> None:
    assert issubclass(TimeLimit, LimitReached)
    assert Limits().output_for(100) == Limits().output_floor
    assert Limits().output_for(1 << 40) == Limits().output_bytes


class TestFallback:
    READERS = ("misbehaving.Misbehaving", "misbehaving.Steady")

    @pytest.fixture
    def pieces(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Piece]]:
        line = registry.Format("", (TYPE,), self.READERS, package="tests.files.extraction")
        monkeypatch.setattr(registry, "FORMATS", [*registry.FORMATS, line])

        def read(deed: str) -> list[Piece]:
            path = tmp_path / deed
            path.write_text(deed)
            return list(extract_in_sandbox(Source(path, deed, TYPE), SHORT))

        return read

    @pytest.mark.parametrize(
        ("deed", "code"), [("refuse", "malformed"), ("crash", "reader_crashed"), ("eat", "memory_limit")]
    )
    def test_the_next_reader_takes_over_and_is_named(
        self, pieces: Callable[[str], list[Piece]], deed: str, code: str
    ) -> None:
        found = pieces(deed)

        assert found[0] == ReadBy("misbehaving", (("misbehaving", code),))
        assert text_of(found) == "read all the same"

    def test_what_the_first_reader_read_is_kept(self, pieces: Callable[[str], list[Piece]]) -> None:
        found = pieces("+refuse")

        assert text_of(found) == "first words"
        assert warnings_of(found) == ["malformed"]

    def test_a_limit_is_not_tried_again(self, pieces: Callable[[str], list[Piece]]) -> None:
        with pytest.raises(TimeLimit):
            pieces("spin")


@pytest.mark.skipif(not LINUX, reason="measured by /proc")
def test_a_server_does_not_grow_with_the_files_it_starts_readers_for(tmp_path: Path) -> None:
    """It parses nothing itself; so it needs no recycling."""
    path = tmp_path / "a.txt"
    path.write_text("Some words.")
    server = psutil.Process(fork_server.server_pid())

    def read(times: int) -> int:
        for _ in range(times):
            list(extract_in_sandbox(Source(path, "a.txt", "text/plain")))
        return int(server.memory_info().rss)

    before = read(50)
    assert read(450) - before < 2 * MIB
