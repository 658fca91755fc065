"""A reader that was taken over by its file: it tries what the sandbox is there to refuse, and tells what it got."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Segment
from files.extraction.limits import Limits


class Prying(Extractor):
    """Tries everything and says which attempts went through."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield one fact per attempt: `done`, or the error it met."""
        yield Segment("tried")
        assert source.scratch
        attempts: dict[str, Callable[[], object]] = {
            "read_input": source.path.read_bytes,
            "read_neighbour": (source.path.parent / "neighbour").read_bytes,
            "list_neighbours": lambda: list(source.path.parent.iterdir()),
            "change_input": lambda: source.path.write_text("changed"),
            "read_accounts": Path("/etc/passwd").read_bytes,
            "read_project": (Path(__file__).parents[3] / "pyproject.toml").read_bytes,
            "write_temporary": lambda: Path("/tmp/orchestra-prying").write_text("x"),
            "write_code": lambda: (Path(__file__).parent / "planted.py").write_text("x"),
            "write_scratch": lambda: (source.scratch / "x").write_text("x") if source.scratch else None,
            "make_temporary": tempfile.mkstemp,
            "import_late": lambda: __import__("openpyxl"),
            "use_null": lambda: Path("/dev/null").write_text("x"),
            "start_program": lambda: subprocess.run(["/usr/bin/env"], check=True, stdout=subprocess.DEVNULL),
            "fork": _fork,
            "signal_parent": lambda: os.kill(os.getppid(), 0),
            "signal_self": lambda: os.kill(os.getpid(), 0),
            "leave_group": os.setsid,
            "make_socket": lambda: socket.socket(socket.AF_INET).close(),
            "make_local_socket": lambda: socket.socket(socket.AF_UNIX).close(),
            "make_memory_file": lambda: os.close(os.memfd_create("x")),
            "trace": lambda: _libc("ptrace", 0, 0, 0, 0),
            "outlive_parent": lambda: _libc("prctl", 1, 0, 0, 0, 0),
            "new_users": lambda: _libc("unshare", 0x10000000),
            "mount": lambda: _libc("mount", 0, 0, 0, 0, 0),
        }
        yield Metadata({name: _outcome(attempt) for name, attempt in attempts.items()})


class PryingWithPrograms(Prying):
    """The same for a reader that may start programs."""

    starts_programs: ClassVar[bool] = True


class Hoarding(Extractor):
    """Writes files without end, each small enough for the kernel's limit per file."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield one segment and fill the disk, with names or without."""
        yield Segment("hoarding")
        assert source.scratch
        nameless = source.path.read_text() == "nameless"
        held = []
        for number in range(50):
            path = source.scratch / str(number)
            held.append(path.open("wb"))
            held[-1].write(bytes(1 << 20))
            held[-1].flush()
            if nameless:
                path.unlink()
        time.sleep(30)


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _libc(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*(ctypes.c_ulong(value) for value in arguments)) < 0:
        raise OSError(ctypes.get_errno(), name)


def _outcome(attempt: Callable[[], object]) -> str:
    signal.alarm(5)
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "done"
