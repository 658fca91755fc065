"""The fork server: a small, clean process that forks one child per file, so that a reader starts in milliseconds.

Run as `python -m files.extraction.isolation.zygote CONTROL_FD SCRATCH` by `fork_server`. It holds none of the worker's
memory, sockets, environment or threads. For each request it makes a folder under SCRATCH, removed when the child has
ended, and gets two sockets: `data`, on which the child sends its frames, and `leash`, on which it reports the child's
end, and whose closing kills the child. When the control socket closes, everything ends.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from files.extraction.isolation import scratch
from files.extraction.isolation.compiling import compile_in_background
from files.extraction.isolation.confinement import ServerLevel, confine_server
from files.extraction.isolation.reader_process import become_reader, try_confinement
from files.extraction.registry import load_all

REQUEST_HEADER = struct.Struct("!I")

_PRELOADED = (
    *("lxml.etree", "lxml.html", "pypdfium2", "python_calamine", "charset_normalizer", "csv", "yaml", "zipfile"),
    *("PIL.Image", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.WebPImagePlugin"),
)
_DISK_SECONDS = 0.5


@dataclass(slots=True)
class _Reading:
    """A child that reads: the worker's leash on it, its folder, how much it may keep there."""

    leash: socket.socket
    folder: Path
    disk_bytes: int
    fills_disk: bool = False


class Zygote:
    """The server's loop: requests in, children out, ends reported."""

    def __init__(self, control: socket.socket, folder: Path, level: ServerLevel) -> None:
        self._control = control
        self._folder = folder
        self._level = level
        self._started = 0
        self._readings: dict[int, _Reading] = {}
        self._looked_at_disk = 0.0
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
            for key, _ in self._selector.select(_DISK_SECONDS if self._readings else None):
                if key.fileobj is self._control:
                    if not self._accept():
                        self._kill_all()
                        return
                elif key.fileobj is self._waker:
                    self._reap()
                else:
                    self._drop(key.data)
            self._watch_disk()

    def _accept(self) -> bool:
        received = _receive_request(self._control)
        if received is None:
            return False
        request, fds = received
        data, leash = (socket.socket(fileno=fd) for fd in fds)
        self._started += 1
        folder = self._folder / str(self._started)
        folder.mkdir(mode=0o700)
        pid = os.fork()
        if pid == 0:
            become_reader(data, request, folder, os.getppid(), self._level)
        with suppress(OSError):
            os.setpgid(pid, pid)  # as the child does: whoever comes first
        data.close()
        leash.setblocking(False)
        self._readings[pid] = _Reading(leash, folder, int(request["limits"]["written_bytes"]))
        self._selector.register(leash, selectors.EVENT_READ, data=pid)
        return True

    def _drop(self, pid: int) -> None:
        """The worker let go of the leash (or said a byte on it): end the child and all it may have started."""
        if reading := self._readings.get(pid):  # it may have ended and been reported in the same turn
            self._selector.unregister(reading.leash)
            _kill_group(pid)

    def _watch_disk(self) -> None:
        """End readings that keep more on disk than they may: the kernel's own limit is one per file."""
        now = time.monotonic()
        if not self._readings or now - self._looked_at_disk < _DISK_SECONDS:
            return
        for pid, reading in self._readings.items():
            if not reading.fills_disk and scratch.written_by(pid, reading.folder) > reading.disk_bytes:
                reading.fills_disk = True
                _kill_group(pid)
        self._looked_at_disk = time.monotonic()

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
            if pid in self._readings:
                _kill_group(pid)  # the child has ended; nothing it started may outlive it
                self._report_end(pid, status, usage)

    def _report_end(self, pid: int, status: int, usage: resource.struct_rusage) -> None:
        reading = self._readings.pop(pid)
        scratch.remove(reading.folder)
        with suppress(KeyError):
            self._selector.unregister(reading.leash)
        report = {
            "status": status,
            "peak_kib": usage.ru_maxrss,
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
            "fills_disk": reading.fills_disk,
        }
        with suppress(OSError):
            reading.leash.send(json.dumps(report).encode())
        reading.leash.close()

    def _kill_all(self) -> None:
        for pid in self._readings:
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


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main() -> None:
    """Take the control socket from the command line, get ready, say so, serve."""
    control, folder = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])
    held = scratch.hold(folder)
    for name in _PRELOADED:
        with suppress(ImportError):  # a missing library is told when its format is read
            importlib.import_module(name)
    load_all()
    compile_in_background()
    server_level = confine_server()
    gc.collect()
    gc.freeze()  # children share these pages until they write to them
    gc.set_threshold(50_000, 20, 20)  # a reader makes many small objects and few cycles, and does not live long
    level = try_confinement(folder, server_level)
    control.sendall(json.dumps(asdict(level)).encode() + b"\n")
    try:
        Zygote(control, folder, server_level).serve()
    finally:
        scratch.remove(folder)
        os.close(held)


if __name__ == "__main__":
    main()
