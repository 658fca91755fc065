"""Extractors that do what a hostile file may make a reader do. The sandbox's tests put them into the registry."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Segment
from files.extraction.errors import MalformedFile
from files.extraction.limits import Limits


class Misbehaving(Extractor):
    """Says one segment if the file's text begins with `+`, then does what the rest of the text names."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield what was asked for."""
        wanted = source.path.read_text()
        if wanted.startswith("+"):
            yield Segment("first words")
        yield from getattr(self, wanted.removeprefix("+"))()

    starts_programs: ClassVar[bool] = True

    def report(self) -> Iterator[Piece]:
        """Tell about the process."""
        try:
            with socket.create_connection(("127.0.0.1", 9), timeout=2):
                reached = True
        except OSError as error:
            reached = isinstance(error, ConnectionRefusedError)
        yield Metadata(
            {
                "pid": os.getpid(),
                "group": os.getpgid(0),
                "secret": os.environ.get("ORCHESTRA_TEST_SECRET", ""),
                "files": len(list(Path("/proc/self/fd").iterdir())),
                "network": reached,
                "status": Path("/proc/self/status").read_text()[:1500],
            }
        )

    def nap(self) -> Iterator[Piece]:
        """Wait for a time that ends: who is patient gets a text."""
        time.sleep(12)
        yield Segment("awake")

    def wait(self) -> Iterator[Piece]:
        """Do nothing for a long time."""
        time.sleep(60)
        yield from ()

    def spin(self) -> Iterator[Piece]:
        """Burn the processor."""
        for _ in iter(int, 1):  # zeros, for ever
            pass
        yield from ()

    def eat(self) -> Iterator[Piece]:
        """Take memory without end."""
        held: list[bytearray] = []
        for _ in iter(int, 1):
            held.append(bytearray(16 << 20))
        yield from ()

    def crash(self) -> Iterator[Piece]:
        """Read from nowhere."""
        ctypes.string_at(0)
        yield from ()

    def abort(self) -> Iterator[Piece]:
        """End as C++ and Rust do when they give up."""
        os.kill(os.getpid(), signal.SIGABRT)
        yield from ()

    def leave(self) -> Iterator[Piece]:
        """End without a word."""
        yield from _end()

    def refuse(self) -> Iterator[Piece]:
        """Say what is wrong."""
        yield from ()
        raise MalformedFile("not like this", hint="like that")

    def talk(self) -> Iterator[Piece]:
        """Never stop."""
        while True:
            yield Segment("words " * 1000)

    def lie(self) -> Iterator[Piece]:
        """Write what is no frame on the data socket, as code that has taken over the reader could."""
        os.write(3, b"\xff\xff\xff\xff garbage")
        yield from ()

    def breed(self) -> Iterator[Piece]:
        """Leave a process behind."""
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        yield Segment("bred")

    def write(self) -> Iterator[Piece]:
        """Fill the disk."""
        with Path("/tmp/orchestra-sandbox-test").open("wb") as file:
            file.write(bytes(1 << 20))
            file.flush()
        yield Segment("wrote")


class Steady(Extractor):
    """Reads whatever the other one could not."""

    def extract(self, _source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield one segment."""
        yield Segment("read all the same")


def _end() -> Iterator[Piece]:
    code = 0
    os._exit(code)
