"""A JSON document of any size as a run of values, with memory for one of them at a time.

Values that fit the window are parsed whole by the C scanner of `json`; a container that does not is entered, and its
members come one by one. So a list of a million records costs what its largest record costs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from files.extraction.errors import MalformedFile

_BLOCK = 1 << 18
_ENTER_CHARS = 1 << 20  # a container longer than this is entered
_DEPTH = 100
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass(frozen=True, slots=True)
class Found:
    """A value, the keys and indexes that lead to it, and the lines it stands on."""

    path: tuple[str | int, ...]
    value: Any
    line: int
    line_end: int


class JsonStream:
    """Reads one document from `file`, once. `limit` is the length of the longest value that is held."""

    def __init__(self, file: TextIO, limit: int) -> None:
        self._file = file
        self._limit = max(limit, 64)
        self._enter = min(_ENTER_CHARS, self._limit)
        self._block = min(_BLOCK, self._limit)
        self._held = ""
        self._at = 0
        self._line = 1
        self._ended = False
        self._path: list[str | int] = []
        self._closers: list[str] = []

    def values(self) -> Iterator[Found]:
        """Yield the values in order. Raises MalformedFile where the document is broken; `rest` gives what follows."""
        yield from self._value()
        while self._closers:
            char = self._peek()
            if char == self._closers[-1]:
                self._leave()
            elif char == ",":
                self._step(1)
            elif self._closers[-1] == "}":
                self._path[-1] = self._key()
                yield from self._value()
            else:
                self._path[-1] = int(self._path[-1]) + 1
                yield from self._value()

    def rest(self) -> Iterator[str]:
        """Yield the text from where reading stopped to the end, in blocks."""
        yield self._held[self._at :]
        while block := self._file.read(_BLOCK):
            yield block

    def _value(self) -> Iterator[Found]:
        """Yield the value that comes next, or enter it when it is a container too long to hold."""
        opener = self._peek()
        length = self._enter if opener in "[{" and len(self._closers) < _DEPTH else self._limit
        found = self._decoded(length)
        if found is not None:
            yield found
        elif opener in "[{" and len(self._closers) < _DEPTH:
            self._step(1)
            self._closers.append("]" if opener == "[" else "}")
            self._path.append(-1)
        else:
            raise MalformedFile

    def _decoded(self, length: int) -> Found | None:
        """Return the next value when it is at most about `length` characters long, None when it is longer or broken."""
        tried = 0
        while True:
            self._fill(max(tried * 2, self._block))
            tried = len(self._held) - self._at
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except RecursionError:
                return None
            except ValueError:
                if self._ended or tried >= length:
                    return None
                continue
            if end == len(self._held) and not self._ended and self._held[end - 1] not in '"]}':
                continue  # a number may go on
            line = self._line
            self._step(end - self._at)
            return Found(tuple(self._path), value, line, self._line)

    def _key(self) -> str:
        found = self._decoded(self._limit)
        if found is None or not isinstance(found.value, str) or self._peek() != ":":
            raise MalformedFile
        self._step(1)
        return found.value

    def _leave(self) -> None:
        self._step(1)
        self._closers.pop()
        self._path.pop()

    def _peek(self) -> str:
        """Return the next character that is not white space. Raises MalformedFile at the end."""
        while True:
            self._fill(1)
            end = _SPACE.match(self._held, self._at).end()  # type: ignore[union-attr] # it matches nothing, too
            self._step(end - self._at)
            if self._at < len(self._held):
                return self._held[self._at]
            if self._ended:
                raise MalformedFile

    def _step(self, count: int) -> None:
        self._line += self._held.count("\n", self._at, self._at + count)
        self._at += count

    def _fill(self, wanted: int) -> None:
        """Hold at least `wanted` characters from here on, if there are so many."""
        missing = wanted - (len(self._held) - self._at)
        if missing <= 0 or self._ended:
            return
        block = self._file.read(max(missing, self._block))
        self._ended = not block
        self._held = self._held[self._at :] + block
        self._at = 0
