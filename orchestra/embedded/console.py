"""Write the lines of all programs to the terminal with their names before them, and to one capped log file each."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

LARGEST_LOG = 5 * 1024 * 1024
COLOURS = (36, 33, 35, 32, 34, 31)


class CappedLog:
    """A log file that moves to `NAME.1` when it is full, so that it never takes more than twice its cap."""

    def __init__(self, path: Path, cap: int = LARGEST_LOG) -> None:
        self._path = path
        self._cap = cap
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._open()

    def write(self, line: str) -> None:
        """Append one line."""
        data = f"{line}\n".encode(errors="replace")
        if self._file.tell() + len(data) > self._cap:
            self._file.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._file = self._open()
        self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> io.FileIO:
        self._path.touch(mode=0o600)  # file names and questions may stand in it
        return self._path.open("ab", buffering=0)


class Console:
    """The one place that prints: `web    | text`, coloured when the terminal can show it.

    A program that is alone has its lines printed as they are: a collector of logs reads them.
    """

    def __init__(self, stream: TextIO, logs: Path, names: Iterable[str], *, cap: int = LARGEST_LOG) -> None:
        ordered = list(names)
        self._stream = stream
        self._width = max(map(len, ordered), default=0)
        self._logs = {name: CappedLog(logs / f"{name}.log", cap) for name in ordered}
        colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(ordered)}
        self._colours = colours if stream.isatty() else {}
        self._labelled = len(ordered) > 1

    def line(self, name: str, text: str) -> None:
        """Print one line of a program and append it to that program's log; an empty one is spared."""
        if not text.strip():
            return
        self.say(f"{self._label(name)} {text}" if self._labelled else text)
        self._logs[name].write(text)

    def _label(self, name: str) -> str:
        label = f"{name:<{self._width}} |"
        if colour := self._colours.get(name):
            label = f"\033[{colour}m{label}\033[0m"
        return label

    def say(self, text: str) -> None:
        """Print one line as it is; a terminal that went away stops nothing."""
        try:
            print(text, file=self._stream, flush=True)
        except (OSError, ValueError):
            self._stream = _Nowhere()

    def close(self) -> None:
        """Close the log files."""
        for log in self._logs.values():
            log.close()


class _Nowhere(io.StringIO):
    """Takes lines and keeps none, for a terminal that was closed."""

    def write(self, text: str) -> int:
        return len(text)
