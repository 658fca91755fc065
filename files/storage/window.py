"""A part of an open file, as a file of its own that can be read again from its start, as a repeated request does."""

from __future__ import annotations

import io
from typing import BinaryIO


class Window(io.RawIOBase, BinaryIO):
    """`size` bytes of `source` from `start` on. Nothing else may move `source` meanwhile."""

    def __init__(self, source: BinaryIO, start: int, size: int) -> None:
        self._source = source
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def __len__(self) -> int:
        return self._size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, all that are left where it is negative or None."""
        left = self._size - self._position
        wanted = left if size is None or size < 0 else min(size, left)
        self._source.seek(self._start + self._position)
        data = self._source.read(wanted)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move within the window."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = min(self._size, max(0, base + offset))
        return self._position

    def tell(self) -> int:
        """Return the position within the window."""
        return self._position
