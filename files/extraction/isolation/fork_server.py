"""The worker's side of the fork server: one per process, started on first use, restarted when it has died."""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from files.extraction.base import Source
from files.extraction.errors import SandboxUnavailable
from files.extraction.isolation.confinement import SandboxLevel
from files.extraction.isolation.protections import sentence_of
from files.extraction.isolation.scratch import make_folder
from files.extraction.isolation.zygote import REQUEST_HEADER
from files.extraction.limits import Limits

_log = logging.getLogger(__name__)
_PROJECT = Path(__file__).resolve().parents[3]
_START_SECONDS = 60.0
_lock = threading.Lock()
_server: ForkServer | None = None
_open_sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()


class ForkServer:
    """A running fork server and the socket that commands it."""

    def __init__(self) -> None:
        self._scratch = make_folder()
        self._control, theirs = socket.socketpair()
        _open_sockets.add(self._control)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "files.extraction.isolation.zygote", str(theirs.fileno()), self._scratch],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=_clean_environment(),
                start_new_session=True,
            )
        try:
            self.level = self._wait_until_ready()
        except (OSError, ValueError) as exc:
            self.stop()
            raise SandboxUnavailable from exc
        _log.log(logging.WARNING if self.level.missing else logging.INFO, sentence_of(self.level))

    def send(self, extractor: str, source: Source, limits: Limits) -> tuple[socket.socket, socket.socket]:
        """Start one reader; return its data socket and its leash. Raises OSError when the server is gone."""
        request = {
            "extractor": extractor,
            "path": str(source.path.resolve()),
            "name": source.name,
            "media_type": source.media_type,
            "options": asdict(source.options),
            "limits": asdict(limits),
        }
        body = json.dumps(request).encode()
        data, their_data = socket.socketpair()
        leash, their_leash = socket.socketpair()
        with their_data, their_leash:
            try:
                fds = [their_data.fileno(), their_leash.fileno()]
                socket.send_fds(self._control, [REQUEST_HEADER.pack(len(body))], fds)
                self._control.sendall(body)
            except OSError:
                data.close()
                leash.close()
                raise
        _open_sockets.update((data, leash))
        return data, leash

    @property
    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the server and every reader under it."""
        self._control.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def forget(self) -> None:
        """Let go without ending it: in a forked child the server belongs to the parent."""
        self._control.close()
        self.process.returncode = 0

    def _wait_until_ready(self) -> SandboxLevel:
        self._control.settimeout(_START_SECONDS)
        hello = b""
        while not hello.endswith(b"\n"):
            part = self._control.recv(4096)
            if not part:
                raise OSError("the fork server ended before it was ready")
            hello += part
        self._control.settimeout(10)
        return SandboxLevel(**json.loads(hello))


def start_reader(extractor: str, source: Source, limits: Limits) -> tuple[socket.socket, socket.socket]:
    """Start one reading process; return its data socket and its leash. Raises SandboxUnavailable."""
    for attempt in range(2):
        with _lock:
            server = _running_server()
            try:
                return server.send(extractor, source, limits)
            except OSError as exc:
                _stop()
                if attempt:
                    raise SandboxUnavailable from exc
    raise SandboxUnavailable


def level() -> SandboxLevel:
    """Return which protections are reached here. A server that had to be started for it is stopped again."""
    with _lock:
        started_before = _server is not None
        reached = _running_server().level
        if not started_before:
            _stop()
        return reached


def is_running() -> bool:
    """Tell whether this process has a fork server."""
    return _server is not None and _server.alive


def server_pid() -> int:
    """Return the process id of the running fork server; start it if need be."""
    with _lock:
        return _running_server().process.pid


def shut_down() -> None:
    """End this process's fork server, if there is one. The next reading starts another."""
    with _lock:
        _stop()


def _running_server() -> ForkServer:
    global _server  # noqa: PLW0603 - one server per process is the point of it
    if _server is not None and not _server.alive:
        _stop()
    if _server is None:
        _server = ForkServer()
    return _server


def _stop() -> None:
    global _server  # noqa: PLW0603 - as above
    if _server is not None:
        _server.stop()
        _server = None


def _forget_in_child() -> None:
    global _server, _lock  # noqa: PLW0603 - a forked child starts with a server and a lock of its own
    _lock = threading.Lock()
    if _server is not None:
        _server.forget()
        _server = None
    for inherited in list(_open_sockets):
        inherited.close()


def _clean_environment() -> dict[str, str]:
    """Return what a reader needs and no secret of the worker's."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TZ") if name in os.environ}
    # A reader has one core's work to do, and each thread that a library keeps ready costs it address space.
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**kept, **one_thread, "PYTHONPATH": str(_PROJECT), "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"}


atexit.register(shut_down)
with suppress(AttributeError):
    os.register_at_fork(after_in_child=_forget_in_child)
