"""Extraction in a process that may be killed: the only way in which the product reads a file it was given.

Before: `detection` found the type. After: the pipeline stores the pieces. Between them stand `fork_server` (starts a
child in milliseconds), `confinement` (what the child may do) and `wire` (how pieces come back).
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from types import TracebackType
from typing import Any

from files.extraction.base import ExtractionError, Source
from files.extraction.document import Piece, ReadBy, Segment
from files.extraction.errors import LimitReached, MemoryLimit, OutputLimit, ReaderCrashed, SandboxUnavailable, TimeLimit
from files.extraction.isolation import fork_server
from files.extraction.isolation.confinement import SandboxLevel
from files.extraction.isolation.reader_process import EXIT_OUT_OF_MEMORY
from files.extraction.isolation.wire import HEADER, MAX_FRAME, EndOfPieces, InvalidFrameError, decode_piece
from files.extraction.limits import MIB, Limits
from files.extraction.reading import keep_partial
from files.extraction.registry import reader_name, readers_of

DEFAULT_LIMITS = Limits()

_log = logging.getLogger(__name__)
_RECEIVE = 256 * 1024
_GOODBYE_SECONDS = 5.0
_PAUSE_SECONDS = 0.2

Meanwhile = Callable[[], bool]


def nothing_meanwhile() -> bool:
    """Have nothing to do while a reader is silent."""
    return False


def extract_in_sandbox(
    source: Source, limits: Limits = DEFAULT_LIMITS, meanwhile: Meanwhile = nothing_meanwhile
) -> Generator[Piece]:
    """Yield the pieces of `source`, read by a child process under `limits`.

    Raises ExtractionError before the first segment; after it, what would be an error is the last piece, a Warning of
    the same code. Raises UnsupportedFormat, SandboxUnavailable (not the file's fault: try again). Closing the
    generator ends the child. The first piece tells which reader the others come from.

    `meanwhile` is called when the child has sent nothing for a fifth of a second, every fifth of a second, and again at
    once where it returns that there is more to do. Its time does not count as the child's. What it raises comes out.
    """
    readers = readers_of(source.media_type)
    return keep_partial(_of_first_that_can(readers, source, limits, meanwhile))


def sandbox_level() -> SandboxLevel:
    """Return which protections stand around a reading process on this machine."""
    return fork_server.level()


def _of_first_that_can(
    readers: tuple[str, ...], source: Source, limits: Limits, meanwhile: Meanwhile
) -> Generator[Piece]:
    """Yield the pieces of the first reader that comes to a segment, or to its end."""
    gave_up: list[tuple[str, str]] = []
    errors: list[ExtractionError] = []
    for reader in readers:
        name = reader_name(reader)
        read_by = ReadBy(name, tuple(gave_up))
        started = False
        try:
            with closing(_pieces(reader, source, limits, meanwhile)) as pieces:
                for held in _held_until_text(pieces, hold=reader != readers[-1]):
                    if not started:
                        yield read_by
                    started = True
                    yield held
            if not started:
                yield read_by
            return
        except ExtractionError as error:
            if started or not error.hands_over:
                raise
            gave_up.append((name, error.code))
            errors.append(error)
    raise next((error for error in errors if type(error) not in (ExtractionError, ReaderCrashed)), errors[0])


def _held_until_text(pieces: Iterator[Piece], *, hold: bool) -> Iterator[Piece]:
    """Yield `pieces`; what comes before the first segment is held back, as another reader may have to say it."""
    before: list[Piece] = []
    for piece in pieces:
        if hold and not isinstance(piece, Segment):
            before.append(piece)
            continue
        hold = False
        yield from before
        before.clear()
        yield piece
    yield from before


def _pieces(path: str, source: Source, limits: Limits, meanwhile: Meanwhile) -> Generator[Piece]:
    """Yield what one reading process sends; start a second one when the fork server died before the first piece."""
    started = False
    for attempt in range(2):
        try:
            with closing(_pieces_of_one(path, source, limits, meanwhile)) as pieces:
                for piece in pieces:
                    started = True
                    yield piece
            return
        except SandboxUnavailable:
            if started or attempt:
                raise


def _pieces_of_one(path: str, source: Source, limits: Limits, meanwhile: Meanwhile) -> Generator[Piece]:
    sockets = fork_server.start_reader(path, source, limits)
    with _Reader(reader_name(path), sockets, limits, meanwhile) as reader:
        allowed = 4 * limits.output_for(source.path.stat().st_size) + 64 * MIB
        for payload in reader.frames():
            allowed -= len(payload)
            if allowed < 0:
                raise OutputLimit
            try:
                piece = decode_piece(payload)
            except InvalidFrameError as exc:
                raise ReaderCrashed from exc
            if isinstance(piece, EndOfPieces):
                return
            if isinstance(piece, ExtractionError):
                raise piece
            yield piece
        raise reader.reason_of_end()


class _Reader:
    """One reading process, seen from the worker. Leaving the context ends it."""

    def __init__(
        self, name: str, sockets: tuple[socket.socket, socket.socket], limits: Limits, meanwhile: Meanwhile
    ) -> None:
        self._name = name
        self._data, self._leash = sockets
        self._limits = limits
        self._meanwhile = meanwhile
        self._waited = 0.0
        self._buffer = bytearray()

    def __enter__(self) -> _Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data.close()
        with suppress(OSError):
            self._leash.shutdown(socket.SHUT_WR)  # the fork server kills the child's process group
        self._wait_for_end()
        self._leash.close()

    def frames(self) -> Iterator[bytes]:
        """Yield the payload of each frame until the child closes its end. Raises TimeLimit, ReaderCrashed."""
        while True:
            while len(self._buffer) < HEADER.size or len(self._buffer) < HEADER.size + self._next_length():
                if not self._receive():
                    return
            end = HEADER.size + self._next_length()
            payload = bytes(memoryview(self._buffer)[HEADER.size : end])
            del self._buffer[:end]
            yield payload

    def reason_of_end(self) -> ExtractionError | SandboxUnavailable:
        """Return why the child ended without saying so."""
        report = self._wait_for_end()
        if report is None:
            return SandboxUnavailable("The reading process was lost together with its server.")
        if report["fills_disk"]:
            return LimitReached("Reading this file took more space on disk than the limit allows.")
        status = int(report["status"])
        if os.WIFSIGNALED(status):
            return self._reason_of_signal(os.WTERMSIG(status), peak=int(report["peak_kib"]) * 1024)
        return MemoryLimit() if os.WEXITSTATUS(status) == EXIT_OUT_OF_MEMORY else ReaderCrashed()

    def _reason_of_signal(self, ended_by: int, peak: int) -> ExtractionError:
        if ended_by == signal.SIGXCPU:
            return TimeLimit()
        # A reader in C or Rust aborts when it gets no memory; nobody but the kernel's memory guard sends SIGKILL here.
        if ended_by == signal.SIGKILL or (ended_by == signal.SIGABRT and peak > self._limits.memory_bytes // 2):
            return MemoryLimit()
        return ReaderCrashed(signal=signal.Signals(ended_by).name)

    def _next_length(self) -> int:
        length = int(HEADER.unpack_from(self._buffer)[0])
        if length > MAX_FRAME:
            raise ReaderCrashed
        return length

    def _receive(self) -> bool:
        pause = _PAUSE_SECONDS
        while not self._has_sent_within(pause):
            if self._waited >= self._limits.wall_seconds:
                raise TimeLimit
            pause = 0.0 if self._meanwhile() else _PAUSE_SECONDS
        part = self._data.recv(_RECEIVE)
        self._buffer += part
        return bool(part)

    def _has_sent_within(self, seconds: float) -> bool:
        started = time.monotonic()
        readable = _wait_readable(self._data, min(seconds, self._limits.wall_seconds - self._waited))
        self._waited += time.monotonic() - started
        return readable

    def _wait_for_end(self) -> dict[str, Any] | None:
        if not _wait_readable(self._leash, _GOODBYE_SECONDS):
            return None
        with suppress(OSError, ValueError):
            report: dict[str, Any] = json.loads(self._leash.recv(4096))
            effort = {"peak_bytes": report["peak_kib"] * 1024, "cpu_seconds": report["cpu_seconds"]}
            _log.debug("%s ended: %s", self._name, effort, extra={"reader": self._name, **effort})
            return report
        return None


def _wait_readable(sock: socket.socket, seconds: float) -> bool:
    poller = select.poll()  # select() cannot watch descriptors above 1023
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(max(0.0, seconds) * 1000))
