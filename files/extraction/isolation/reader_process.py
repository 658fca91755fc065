"""The life of one reading process, from the fork to its end: confine, read, send. Nothing of the server runs in it."""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.isolation.confinement import Confinement, SandboxLevel, ServerLevel, confine_reader
from files.extraction.isolation.surroundings import access_of, may_start_programs
from files.extraction.isolation.wire import encode_end, encode_error, encode_piece
from files.extraction.limits import Limits
from files.extraction.options import Options
from files.extraction.reading import read_pieces
from files.extraction.registry import load, readers_of

EXIT_OK, EXIT_OUT_OF_MEMORY, EXIT_NO_LISTENER = 0, 71, 72

_DATA_FD = 3
_PROMPT_FRAMES = 100
_HELD_BYTES = 16 * 1024
_HELD_SECONDS = 0.05


def become_reader(
    data: socket.socket, request: dict[str, Any], scratch: Path, server_pid: int, level: ServerLevel
) -> NoReturn:
    """Read one file and end. Nothing of the server may run in this process again."""
    code = EXIT_NO_LISTENER
    try:
        _keep_only(data.detach())
        limits, source = Limits(**request["limits"]), _source_of(request, scratch)
        extractor = load(request["extractor"])  # its imports are ours, and may lie where a reader may not look
        _use_scratch(scratch)
        programs = may_start_programs(extractor, source.options)
        confine_reader(Confinement(limits, access_of(source, extractor), programs), server_pid, level)
        with socket.socket(fileno=_DATA_FD) as out:
            _send_pieces(out, extractor, source, limits)
        code = EXIT_OK
    except MemoryError:
        code = EXIT_OUT_OF_MEMORY
    except OSError:  # the worker has closed its end
        pass
    finally:
        os._exit(code)


def try_confinement(scratch: Path, server: ServerLevel) -> SandboxLevel:
    """Return which protections a reading process reaches on this machine, found out by a child that tries."""
    extractor = load(readers_of("text/plain")[0])
    source = Source(scratch, "", "text/plain", scratch=scratch)
    # Found out here, so that each child inherits the answers: they stay in these functions' caches.
    confinement = Confinement(Limits(), access_of(source, extractor), may_start_programs(extractor, source.options))
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(theirs, json.dumps(asdict(confine_reader(confinement, os.getppid(), server))).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as said:
        level = SandboxLevel(**json.loads(said.read()))
    os.waitpid(pid, 0)
    return level


def _source_of(request: dict[str, Any], scratch: Path) -> Source:
    options = {**request["options"], "ocr_languages": tuple(request["options"]["ocr_languages"])}
    return Source(Path(request["path"]), request["name"], request["media_type"], Options(**options), scratch=scratch)


def _use_scratch(scratch: Path) -> None:
    """Make libraries put their temporary files into the one folder where they may write."""
    tempfile.tempdir = os.environ["TMPDIR"] = os.environ["HOME"] = str(scratch)


class _Outlet:
    """Sends frames, the first ones and those after a pause at once, the others together.

    So that thousands of paragraphs are not thousands of wake-ups, and a crash loses the text of a few at most.
    """

    def __init__(self, out: socket.socket) -> None:
        self._out = out
        self._held = bytearray()
        self._prompt = _PROMPT_FRAMES
        self._sent_at = time.monotonic()

    def put(self, frame: bytes) -> None:
        """Take a frame; send what is held when it is enough or has waited."""
        self._held += frame
        self._prompt -= 1
        if self._prompt > 0 or len(self._held) >= _HELD_BYTES or time.monotonic() - self._sent_at > _HELD_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        self._out.sendall(self._held)
        self._held.clear()
        self._sent_at = time.monotonic()


def _send_pieces(out: socket.socket, extractor: Extractor, source: Source, limits: Limits) -> None:
    outlet = _Outlet(out)
    try:
        for piece in read_pieces(extractor, source, limits):
            outlet.put(encode_piece(piece))
    except ExtractionError as error:
        outlet.put(encode_error(error))
    else:
        outlet.put(encode_end())
    outlet.flush()


def _keep_only(data_fd: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(data_fd, _DATA_FD, inheritable=False)
    os.closerange(_DATA_FD + 1, max(64, _highest_fd() + 1))
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 2)  # readers in C write their complaints there
    os.close(quiet)


def _highest_fd() -> int:
    try:
        return max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    except OSError:
        return 1024
