"""The fork server: a small, clean process that forks one child per file, so that a reader starts in milliseconds.

Run as `python -m files.extraction.zygote CONTROL_FD SCRATCH` by `files.extraction.fork_server`. It holds none of the
worker's memory, sockets, environment or threads. For each request it makes a folder under SCRATCH, removed when the
child has ended, and gets two sockets: `data`, on which the child sends its frames, and `leash`, on which it reports
the child's end, and whose closing kills the child. When the control socket closes, everything ends.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from files.extraction.base import ExtractionError, Source
from files.extraction.confinement import confine_reader, confine_server
from files.extraction.limits import Limits
from files.extraction.options import Options
from files.extraction.reading import read_pieces
from files.extraction.registry import load, load_all
from files.extraction.wire import encode_end, encode_error, encode_piece

REQUEST_HEADER = struct.Struct("!I")
EXIT_OK, EXIT_OUT_OF_MEMORY, EXIT_NO_LISTENER = 0, 71, 72

_PRELOADED = ("lxml.etree", "lxml.html", "pypdfium2", "python_calamine", "charset_normalizer", "csv", "yaml", "zipfile")
_DATA_FD = 3
_PROMPT_FRAMES = 100
_HELD_BYTES = 16 * 1024
_HELD_SECONDS = 0.05


class Zygote:
    """The server's loop: requests in, children out, ends reported."""

    def __init__(self, control: socket.socket, scratch: Path) -> None:
        self._control = control
        self._scratch = scratch
        self._readings = 0
        self._leashes: dict[int, socket.socket] = {}
        self._scratches: dict[int, Path] = {}
        self._selector = selectors.DefaultSelector()
        self._waker, woken = socket.socketpair()
        self._waker.setblocking(False)
        woken.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        self._woken = woken
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)

    def serve(self) -> None:
        """Answer requests until the control socket closes."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._accept():
                        self._kill_all()
                        return
                elif key.fileobj is self._waker:
                    self._reap()
                else:
                    self._drop(key.data)

    def _accept(self) -> bool:
        received = _receive_request(self._control)
        if received is None:
            return False
        request, fds = received
        data, leash = (socket.socket(fileno=fd) for fd in fds)
        self._readings += 1
        scratch = self._scratch / str(self._readings)
        scratch.mkdir(mode=0o700)
        pid = os.fork()
        if pid == 0:
            _become_reader(data, request, os.getppid(), scratch)
        with suppress(OSError):
            os.setpgid(pid, pid)  # as the child does: whoever comes first
        data.close()
        leash.setblocking(False)
        self._leashes[pid] = leash
        self._scratches[pid] = scratch
        self._selector.register(leash, selectors.EVENT_READ, data=pid)
        return True

    def _drop(self, pid: int) -> None:
        """The worker let go of the leash (or said a byte on it): end the child and all it may have started."""
        if leash := self._leashes.get(pid):  # it may have ended and been reported in the same turn
            self._selector.unregister(leash)
            _kill_group(pid)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            while self._waker.recv(4096):
                pass
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            _kill_group(pid)  # the child has ended; nothing it started may outlive it
            self._report_end(pid, status, usage.ru_maxrss)

    def _report_end(self, pid: int, status: int, peak_kib: int) -> None:
        leash = self._leashes.pop(pid)
        _remove(self._scratches.pop(pid))
        with suppress(KeyError):
            self._selector.unregister(leash)
        with suppress(OSError):
            leash.send(json.dumps({"status": status, "peak_kib": peak_kib}).encode())
        leash.close()

    def _kill_all(self) -> None:
        for pid in self._leashes:
            _kill_group(pid)


def _receive_request(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    header, fds, _, _ = socket.recv_fds(control, REQUEST_HEADER.size, 2)
    if len(header) < REQUEST_HEADER.size or len(fds) != 2:
        return None
    (length,) = REQUEST_HEADER.unpack(header)
    body = b""
    while len(body) < length:
        part = control.recv(length - len(body))
        if not part:
            return None
        body += part
    return json.loads(body), list(fds)


def _remove(scratch: Path) -> None:
    """Remove a reading's folder. Most are empty, and then one call does it."""
    try:
        scratch.rmdir()
    except OSError:
        shutil.rmtree(scratch, ignore_errors=True)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _become_reader(data: socket.socket, request: dict[str, Any], server_pid: int, scratch: Path) -> NoReturn:
    """Read one file and end. Nothing of the server may run in this process again."""
    code = EXIT_NO_LISTENER
    try:
        _keep_only(data.detach())
        limits = Limits(**request["limits"])
        confine_reader(limits, server_pid)
        options = {**request["options"], "ocr_languages": tuple(request["options"]["ocr_languages"])}
        source = Source(
            Path(request["path"]), request["name"], request["media_type"], Options(**options), scratch=scratch
        )
        with socket.socket(fileno=_DATA_FD) as out:
            _send_pieces(out, request["extractor"], source, limits)
        code = EXIT_OK
    except MemoryError:
        code = EXIT_OUT_OF_MEMORY
    except OSError:  # the worker has closed its end
        pass
    finally:
        os._exit(code)


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


def _send_pieces(out: socket.socket, extractor: str, source: Source, limits: Limits) -> None:
    outlet = _Outlet(out)
    try:
        for piece in read_pieces(load(extractor), source, limits):
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


def main() -> None:
    """Take the control socket from the command line, get ready, say so, serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in _PRELOADED:
        with suppress(ImportError):  # a missing library is told when its format is read
            importlib.import_module(name)
    load_all()
    level = confine_server()
    gc.collect()
    gc.freeze()  # children share these pages until they write to them
    control.sendall(json.dumps(asdict(level)).encode() + b"\n")
    Zygote(control, Path(sys.argv[2])).serve()


if __name__ == "__main__":
    main()
