"""The headers of a 7-Zip archive: names, sizes, times and how each folder of data is packed.

Only what is listed is read; the header itself may be packed with LZMA. Format: 7zFormat.txt of the LZMA SDK (public
domain). Counts in the header are claims: each is checked against the bytes that could hold it.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO

from files.extraction.errors import EncryptedFile, MalformedFile, UnsafeArchive, UnsupportedFormat
from files.extraction.formats.archives.decompression import (
    Decompressor,
    deflate_stream,
    stored_part,
    unpacked_part,
    zstandard_stream,
)

_START = struct.Struct("<6s2BIQQI")
_HEADER_BYTES = 64 << 20
_RATIO = 2_000  # a header is text and packs well
_MAX_FILES = 1_000_000
_WHOLE: dict[bytes, Callable[[], Decompressor]] = {
    b"\x04\x01\x08": deflate_stream,
    b"\x04\x02\x02": bz2.BZ2Decompressor,
    b"\x04\xf7\x11\x01": zstandard_stream,
}
_AES = b"\x06\xf1\x07\x01"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_IS_FOLDER, _HAS_UNIX_MODE = 0x10, 0x8000


@dataclass(frozen=True, slots=True)
class Coder:
    """One step of unpacking: which method, with which properties."""

    method: bytes
    properties: bytes
    simple: bool  # one stream in, one stream out


@dataclass(slots=True)
class Folder:
    """Data that is unpacked together: where it lies, how it is packed, how long the files in it are."""

    coders: list[Coder]
    bind_pairs: int
    packed_streams: int
    sizes: list[int] = field(default_factory=list)
    has_crc: bool = False
    start: int = 0
    packed: int = 0
    files: list[int] = field(default_factory=list)

    @property
    def encrypted(self) -> bool:
        """Tell whether it is behind a password."""
        return any(coder.method == _AES for coder in self.coders)

    @property
    def size(self) -> int:
        """Return the unpacked size: that of the last coder."""
        return self.sizes[-1] if self.sizes else 0


@dataclass(slots=True)
class SevenZipFile:
    """One file, folder or link as the header tells it."""

    name: str = ""
    has_stream: bool = True
    empty_file: bool = False
    modified: str = ""
    attributes: int = 0
    size: int = 0
    folder: Folder | None = None

    @property
    def is_folder(self) -> bool:
        """Tell whether it is a folder."""
        return (not self.has_stream and not self.empty_file) or bool(self.attributes & _IS_FOLDER)

    @property
    def unix_mode(self) -> int:
        """Return the mode that Unix programs store, 0 where there is none."""
        return self.attributes >> 16 if self.attributes & _HAS_UNIX_MODE else 0


@dataclass(slots=True)
class SevenZip:
    """All that the header tells."""

    files: list[SevenZipFile] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)


def read_headers(file: IO[bytes]) -> SevenZip:
    """Return what the archive says is in it. Raises MalformedFile, EncryptedFile where even the names are hidden."""
    try:
        return _read_headers(file)
    except (IndexError, struct.error, ValueError, OverflowError) as exc:
        raise MalformedFile from exc


def unpacked_folder(file: IO[bytes], folder: Folder) -> Iterator[bytes]:
    """Yield the data of a folder. Raises UnsupportedFormat, EncryptedFile, MalformedFile."""
    if folder.encrypted:
        raise EncryptedFile
    if len(folder.coders) == 1 and folder.coders[0].method == b"\x00":
        yield from stored_part(file, folder.start, min(folder.packed, folder.size))
        return
    if len(folder.coders) > 2 or folder.packed_streams > 1 or not all(coder.simple for coder in folder.coders):
        raise UnsupportedFormat("This part of the archive is packed in a way that cannot be unpacked here.")
    yield from unpacked_part(file, folder.start, folder.packed, _decompressor(folder), folder.size, ends_itself=False)


def _read_headers(file: IO[bytes]) -> SevenZip:
    total = file.seek(0, 2)
    file.seek(0)
    head = file.read(_START.size)
    if len(head) < _START.size:
        raise MalformedFile
    _, _, _, crc, offset, size, _ = _START.unpack(head)
    if zlib.crc32(head[12:]) != crc or offset + size + _START.size > total or size > _HEADER_BYTES:
        raise MalformedFile("This archive ends too early or is damaged: the list of its files is missing.")
    file.seek(_START.size + offset)
    data = file.read(size)
    for _ in range(4):  # a packed header may be packed again, but nobody does it often
        if not data:
            return SevenZip()
        if data[0] == 1:
            return _Header(data[1:], total).archive()
        if data[0] != 0x17:
            raise MalformedFile
        data = _unpacked_header(file, _Header(data[1:], total).streams())
    raise MalformedFile


def _unpacked_header(file: IO[bytes], folders: list[Folder]) -> bytes:
    if len(folders) != 1:
        raise MalformedFile
    if folders[0].size > min(_HEADER_BYTES, max(1 << 20, folders[0].packed * _RATIO)):
        raise UnsafeArchive
    return b"".join(unpacked_folder(file, folders[0]))


class _Header:
    """A cursor over header bytes. Numbers that no such header could hold raise MalformedFile."""

    def __init__(self, data: bytes, file_size: int) -> None:
        self._data = data
        self._at = 0
        self._file_size = file_size

    def archive(self) -> SevenZip:
        """Read a whole header."""
        archive = SevenZip()
        while (kind := self._number()) != 0:
            if kind == 2:
                self._skip_properties()
            elif kind == 3:
                self.streams()
            elif kind == 4:
                archive.folders = self.streams()
            elif kind == 5:
                archive.files = self._files()
            else:
                raise MalformedFile
        _give_streams(archive)
        return archive

    def streams(self) -> list[Folder]:
        """Read where the packed data lies and how it is to be unpacked."""
        start, packed, folders = 0, list[int](), list[Folder]()
        while (kind := self._number()) != 0:
            if kind == 6:
                start, packed = self._pack_info()
            elif kind == 7:
                folders = self._unpack_info()
            elif kind == 8:
                self._substreams(folders)
            else:
                raise MalformedFile
        for folder in folders:
            if not folder.files and folder.size:
                folder.files = [folder.size]
        _place(folders, packed, _START.size + start)
        return folders

    def _pack_info(self) -> tuple[int, list[int]]:
        start, count = self._number(), self._count(self._number())
        sizes: list[int] = []
        while (kind := self._number()) != 0:
            if kind == 9:
                sizes = [self._number() for _ in range(count)]
            elif kind == 10:
                self._digests(count)
            else:
                raise MalformedFile
        if start + sum(sizes) > self._file_size:
            raise MalformedFile
        return start, sizes

    def _unpack_info(self) -> list[Folder]:
        if self._number() != 11:
            raise MalformedFile
        count = self._count(self._number())
        if self._byte():
            raise MalformedFile
        folders = [self._folder() for _ in range(count)]
        while (kind := self._number()) != 0:
            if kind == 12:
                for folder in folders:
                    folder.sizes = [self._number() for _ in range(len(folder.sizes))]
            elif kind == 10:
                for folder, has in zip(folders, self._digests(count), strict=True):
                    folder.has_crc = has
            else:
                raise MalformedFile
        return folders

    def _folder(self) -> Folder:
        coders: list[Coder] = []
        streams_in = streams_out = 0
        for _ in range(self._at_most(32)):
            flags = self._byte()
            method = self._bytes(flags & 15)
            ins, outs = (self._at_most(32), self._at_most(32)) if flags & 0x10 else (1, 1)
            properties = self._bytes(self._number()) if flags & 0x20 else b""
            coders.append(Coder(method, properties, simple=ins == outs == 1))
            streams_in, streams_out = streams_in + ins, streams_out + outs
        pairs = max(0, streams_out - 1)
        for _ in range(pairs * 2):
            self._number()
        packed = streams_in - pairs
        if packed > 1:
            for _ in range(packed):
                self._number()
        return Folder(coders, pairs, packed, sizes=[0] * streams_out)

    def _substreams(self, folders: list[Folder]) -> None:
        counts = [1] * len(folders)
        kind = self._number()
        if kind == 13:
            counts = [self._count(self._number()) for _ in folders]
            kind = self._number()
        if sum(counts) > _MAX_FILES:
            raise MalformedFile
        for folder, count in zip(folders, counts, strict=True):
            if count:
                sizes = [self._number() for _ in range(count - 1)] if kind == 9 else [0] * (count - 1)
                if sum(sizes) > folder.size:
                    raise MalformedFile
                folder.files = [*sizes, folder.size - sum(sizes)]
        kind = self._number() if kind == 9 else kind
        while kind != 0:
            if kind != 10:
                raise MalformedFile
            self._digests(
                sum(count for folder, count in zip(folders, counts, strict=True) if not (count == 1 and folder.has_crc))
            )
            kind = self._number()

    def _files(self) -> list[SevenZipFile]:
        count = self._number()
        if count > min(_MAX_FILES, len(self._data)):
            raise MalformedFile
        files = [SevenZipFile() for _ in range(count)]
        while (kind := self._number()) != 0:
            length = self._count(self._number())
            end = self._at + length
            self._file_property(kind, files)
            self._at = end
        return files

    def _file_property(self, kind: int, files: list[SevenZipFile]) -> None:
        """Read one property of all files. Those that say nothing to a reader are passed over."""
        if kind == 14:
            for file, empty in zip(files, self._bits(len(files)), strict=True):
                file.has_stream = not empty
        elif kind == 15:
            without = [file for file in files if not file.has_stream]
            for file, empty in zip(without, self._bits(len(without)), strict=True):
                file.empty_file = empty
        elif kind == 17:
            self._names(files)
        elif kind == 20:
            for file in self._defined(files):
                file.modified = _windows_time(struct.unpack("<Q", self._bytes(8))[0])
        elif kind == 21:
            for file in self._defined(files):
                file.attributes = struct.unpack("<I", self._bytes(4))[0]

    def _names(self, files: list[SevenZipFile]) -> None:
        if self._byte():
            raise MalformedFile
        for file in files:
            end = self._at
            while self._data[end : end + 2] != b"\x00\x00":
                end += 2
                if end >= len(self._data):
                    raise MalformedFile
            file.name = self._data[self._at : end].decode("utf-16-le", "replace")
            self._at = end + 2

    def _defined(self, files: list[SevenZipFile]) -> list[SevenZipFile]:
        defined = [True] * len(files) if self._byte() else self._bits(len(files))
        if self._byte():
            raise MalformedFile
        return [file for file, has in zip(files, defined, strict=True) if has]

    def _digests(self, count: int) -> list[bool]:
        defined = [True] * count if self._byte() else self._bits(count)
        self._bytes(4 * sum(defined))
        return defined

    def _bits(self, count: int) -> list[bool]:
        data = self._bytes((count + 7) // 8)
        return [bool(data[at // 8] & (0x80 >> at % 8)) for at in range(count)]

    def _skip_properties(self) -> None:
        while self._number() != 0:
            self._bytes(self._number())

    def _number(self) -> int:
        first = self._byte()
        value, mask = 0, 0x80
        for at in range(8):
            if not first & mask:
                return value | ((first & (mask - 1)) << (8 * at))
            value |= self._byte() << (8 * at)
            mask >>= 1
        return value

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise MalformedFile
        self._at += count
        return self._data[self._at - count : self._at]

    def _count(self, told: int) -> int:
        """Return a count of things that take at least a byte each."""
        if told > len(self._data) - self._at + 1:
            raise MalformedFile
        return told

    def _at_most(self, limit: int) -> int:
        if (number := self._number()) > limit:
            raise MalformedFile
        return number


def _place(folders: list[Folder], packed: list[int], start: int) -> None:
    """Tell each folder where its packed bytes are: they lie one behind another."""
    sizes = iter(packed)
    for folder in folders:
        folder.start = start
        folder.packed = sum(next(sizes, 0) for _ in range(folder.packed_streams))
        start += folder.packed


def _give_streams(archive: SevenZip) -> None:
    """Tell each file which folder it is in and how long it is: streams come in the order of the files."""
    streams = ((folder, size) for folder in archive.folders for size in folder.files)
    for file in archive.files:
        if file.has_stream:
            file.folder, file.size = next(streams, (None, 0))


def _decompressor(folder: Folder) -> Callable[[], Decompressor]:
    if len(folder.coders) == 1 and folder.coders[0].method in _WHOLE:
        return _WHOLE[folder.coders[0].method]
    filters = [_filter(coder, folder) for coder in reversed(folder.coders)]
    filters.sort(key=lambda step: step["id"] in (lzma.FILTER_LZMA1, lzma.FILTER_LZMA2))
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)


def _filter(coder: Coder, folder: Folder) -> dict[str, int]:
    if coder.method == b"\x03\x01\x01" and len(coder.properties) >= 5 and coder.properties[0] < 225:
        rest, lc = divmod(coder.properties[0], 9)
        size = int.from_bytes(coder.properties[1:5], "little")
        return {
            "id": lzma.FILTER_LZMA1, "lc": lc, "lp": rest % 5, "pb": rest // 5, "dict_size": _dictionary(size, folder)
        }  # fmt: skip
    if coder.method == b"\x21" and coder.properties and coder.properties[0] <= 40:
        bits = coder.properties[0]
        size = 0xFFFFFFFF if bits == 40 else (2 | bits & 1) << (bits // 2 + 11)
        return {"id": lzma.FILTER_LZMA2, "dict_size": _dictionary(size, folder)}
    if coder.method == b"\x03\x03\x01\x03":
        return {"id": lzma.FILTER_X86}
    if coder.method == b"\x03":
        return {"id": lzma.FILTER_DELTA, "dist": (coder.properties or b"\x00")[0] + 1}
    raise UnsupportedFormat("This part of the archive is packed in a way that cannot be unpacked here.")


def _dictionary(told: int, folder: Folder) -> int:
    """Return a dictionary size that is enough: none has to be larger than what comes out."""
    size = max(4096, min(told, folder.size))
    if size > 256 << 20:
        raise UnsafeArchive("This archive needs more memory to be unpacked than the limit allows.")
    return size


def _windows_time(ticks: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=ticks // 10)).strftime("%Y-%m-%dT%H:%M:%S") if ticks else ""
    except OverflowError:
        return ""
