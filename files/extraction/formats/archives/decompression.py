"""Compressed bytes as blocks, within a budget: no stream here gives more than it was allowed to.

gzip, bzip2, xz (and the older lzma) and Zstandard, each also as several streams one behind another.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol

from files.extraction.errors import MalformedFile, MemoryLimit, UnsafeArchive, UnsupportedFormat

BLOCK = 1 << 20
_LZMA_MEMORY = 256 << 20  # a dictionary larger than this is for archivers with time, or an attack
_MAX_STREAMS = 100_000


class Decompressor(Protocol):
    """What bz2, lzma and zstd give alike."""

    @property
    def eof(self) -> bool:
        """Tell whether the stream has ended."""

    @property
    def unused_data(self) -> bytes:
        """Return what was fed behind the stream's end."""

    def decompress(self, data: bytes, max_length: int = ...) -> bytes:
        """Take `data`, return at most `max_length` unpacked bytes."""


class Readable(Protocol):
    """What is read forward."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


class _Gzip:
    """zlib's decompressor in the shape of the other three."""

    def __init__(self, window: int = zlib.MAX_WBITS | 16) -> None:
        self._inflater = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inflater.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = BLOCK) -> bytes:
        """Return at most `max_length` bytes; what was not used of `data` is kept for the next call."""
        return self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)


def gzip_stream() -> Decompressor:
    """Return a decompressor of one gzip member."""
    return _Gzip()


def deflate_stream() -> Decompressor:
    """Return a decompressor of bare deflate data, as in a ZIP."""
    return _Gzip(-zlib.MAX_WBITS)


def bzip2_stream() -> Decompressor:
    """Return a decompressor of one bzip2 stream."""
    return bz2.BZ2Decompressor()


def xz_stream() -> Decompressor:
    """Return a decompressor of one xz or lzma stream."""
    return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=_LZMA_MEMORY)


def zstandard_stream() -> Decompressor:
    """Return a decompressor of one Zstandard frame. Raises UnsupportedFormat where its library is not installed."""
    try:
        from backports import zstd
    except ImportError as exc:
        raise UnsupportedFormat(
            "Zstandard files cannot be read here: a library is missing.", hint="Install backports.zstd."
        ) from exc
    decompressor: Decompressor = zstd.ZstdDecompressor(
        options={zstd.DecompressionParameter.window_log_max: 27}  # 128 MiB, what the command line tool takes at most
    )
    return decompressor


STREAMS: dict[str, Callable[[], Decompressor]] = {
    "application/gzip": gzip_stream,
    "application/x-bzip2": bzip2_stream,
    "application/x-xz": xz_stream,
    "application/x-lzma": xz_stream,
    "application/zstd": zstandard_stream,
}


def unpacked(file: Readable, make: Callable[[], Decompressor], allowed: int) -> Iterator[bytes]:
    """Yield what `file` unpacks to, in blocks. Raises UnsafeArchive above `allowed` bytes, MalformedFile."""
    data, total = file.read(BLOCK), 0
    for _ in range(_MAX_STREAMS):
        stream = make()
        for block in _one_stream(stream, file, data):
            total += len(block)
            if total > allowed:
                raise UnsafeArchive
            yield block
        data = stream.unused_data or file.read(BLOCK)
        data = data.lstrip(b"\x00") if data[:1] == b"\x00" else data  # padding between streams and at the end
        if not data or (total and not _starts_a_stream(data)):
            return  # bytes behind the last stream are ignored, as gzip does
    raise UnsafeArchive


def unpacked_part(
    file: IO[bytes], start: int, packed: int, make: Callable[[], Decompressor], size: int, *, ends_itself: bool = True
) -> Iterator[bytes]:
    """Yield what the `packed` bytes at `start` unpack to. Raises MalformedFile when that is not `size` bytes.

    Bare LZMA data does not tell its end (`ends_itself` is false): what comes after `size` bytes is noise.
    """
    left = size
    for block in _one_stream(make(), Window(file, start, packed), b"") if size else ():
        if len(block) > left and ends_itself:
            raise MalformedFile("What is inside is larger than the archive says.")
        yield block[:left]
        left -= len(block)
        if left <= 0 and not ends_itself:
            return
    if left > 0:
        raise MalformedFile


def stored_part(file: IO[bytes], start: int, size: int) -> Iterator[bytes]:
    """Yield `size` bytes from `start` on as they are. Raises MalformedFile when there are fewer."""
    while size > 0:
        file.seek(start)
        block = file.read(min(size, BLOCK))
        if not block:
            raise MalformedFile
        size, start = size - len(block), start + len(block)
        yield block


class Window:
    """A part of a file, for reading forward."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file
        self._at = start
        self._left = size

    def read(self, size: int = BLOCK) -> bytes:
        """Return at most `size` bytes. The file may have been moved in between."""
        self._file.seek(self._at)
        block = self._file.read(min(size, self._left))
        self._at += len(block)
        self._left -= len(block)
        return block


def _one_stream(stream: Decompressor, file: Readable, data: bytes) -> Iterator[bytes]:
    try:
        while True:
            block = stream.decompress(data, BLOCK)
            if block:
                yield block
            if stream.eof:
                return
            data = file.read(BLOCK) if getattr(stream, "needs_input", True) else b""
            if not data and not block:
                raise MalformedFile("This file ends too early: the end of its compressed data is missing.")
    except lzma.LZMAError as exc:
        if "memory" in str(exc).lower():
            raise MemoryLimit from exc
        raise MalformedFile from exc
    except _bad_data() as exc:
        raise MalformedFile from exc


def _bad_data() -> tuple[type[Exception], ...]:
    """Return what the decompressors raise. ZstdError has no base of its own, and its library may be missing."""
    zstd = sys.modules.get("backports.zstd")
    return (zlib.error, OSError, EOFError, ValueError, *([zstd.ZstdError] if zstd else []))


def _starts_a_stream(data: bytes) -> bool:
    return data.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"]\x00")) or (
        data[1:4] == b"\x2a\x4d\x18"
    )
