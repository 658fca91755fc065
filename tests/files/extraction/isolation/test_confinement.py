"""What a reader that was taken over by its file can still do. Each layer is checked where this machine has it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from files.extraction import registry
from files.extraction.base import Source
from files.extraction.document import Piece
from files.extraction.isolation import fork_server, scratch
from files.extraction.limits import MIB, Limits
from files.extraction.sandbox import extract_in_sandbox, sandbox_level
from tests.files.extraction.contract import facts, text_of, warnings_of
from tests.pace import within

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have fewer protections")

TYPES = {"x-test/prying": "Prying", "x-test/programs": "PryingWithPrograms", "x-test/hoarding": "Hoarding"}
FILES = {
    "read_neighbour",
    "list_neighbours",
    "change_input",
    "read_accounts",
    "read_project",
    "write_temporary",
    "write_code",
}
ALWAYS_ALLOWED = {"read_input", "write_scratch", "make_temporary", "import_late", "use_null", "signal_self"}
CALLS = {
    "leave_group",
    "make_socket",
    "make_local_socket",
    "make_memory_file",
    "trace",
    "outlive_parent",
    "new_users",
    "mount",
}
PROGRAMS = {"start_program", "fork"}

Read = Callable[..., list[Piece]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    package = "tests.files.extraction"
    lines = [registry.Format("", (kind,), (f"prying.{name}",), package) for kind, name in TYPES.items()]
    monkeypatch.setattr(registry, "FORMATS", [*registry.FORMATS, *lines])
    (tmp_path / "neighbour").write_text("another user's")

    def run(media_type: str, content: str = "mine", limits: Limits | None = None) -> list[Piece]:
        path = tmp_path / "input"
        path.write_text(content)
        return list(extract_in_sandbox(Source(path, "input", media_type), limits or Limits(wall_seconds=20)))

    return run


def test_a_reader_does_its_work_and_nothing_else(read: Read, tmp_path: Path) -> None:
    found, level = facts(read("x-test/prying")), sandbox_level()
    assert {found[name] for name in ALWAYS_ALLOWED} == {"done"}
    if level.filesystem:
        assert {name for name in FILES if found[name] == "done"} == set()
        assert (tmp_path / "input").read_text() == "mine"
        assert not Path("/tmp/orchestra-prying").exists()
    if level.system_calls:
        assert {name for name in CALLS | PROGRAMS | {"signal_parent"} if found[name] == "done"} == set()


def test_a_reader_that_needs_programs_gets_them_and_no_more(read: Read) -> None:
    found, level = facts(read("x-test/programs")), sandbox_level()
    assert {found[name] for name in ALWAYS_ALLOWED | PROGRAMS} == {"done"}
    if level.filesystem:
        assert {name for name in FILES if found[name] == "done"} == set()
    if level.landlock_version >= 6:
        assert found["signal_parent"] == "PermissionError"
    if level.system_calls:
        assert {name for name in CALLS if found[name] == "done"} == set()


@pytest.mark.parametrize("way", ["named", "nameless"])
def test_many_files_are_bounded_together(read: Read, way: str) -> None:
    began = time.monotonic()
    pieces = read("x-test/hoarding", way, Limits(wall_seconds=20, written_bytes=10 * MIB))
    assert (text_of(pieces), warnings_of(pieces)) == ("hoarding", ["limit_reached"])
    assert time.monotonic() - began < within(10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_an_ordinary_account_reaches_the_same_level() -> None:
    """Root is not what the protections stand on."""
    code = (
        "import os; os.setgid(65534); os.setuid(65534)\n"
        "from files.extraction.sandbox import sandbox_level; print(sandbox_level().missing)"
    )
    project = Path(__file__).resolve().parents[4]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=project)
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip("other accounts cannot read the interpreter or the project here")
    assert done.stdout.strip() == str(sandbox_level().missing), done.stderr


def test_what_a_killed_server_left_is_swept_and_a_living_ones_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, held, young = (Path(scratch.make_folder()) for _ in range(3))
    (left / "1").mkdir()
    (left / "1" / "unpacked").write_text("x")
    descriptor = scratch.hold(held)
    for folder in (left, held):
        os.utime(folder, (0, 0))
    try:
        new = Path(scratch.make_folder())
        assert sorted(tmp_path.iterdir()) == sorted([held, young, new])
    finally:
        os.close(descriptor)


def test_a_server_that_ends_leaves_no_folder(read: Read) -> None:
    read("x-test/prying")
    with fork_server._lock:
        folder = Path(fork_server._running_server()._scratch)
    assert folder.is_dir()
    assert list(folder.iterdir()) == []
    fork_server.shut_down()
    assert not folder.exists()
