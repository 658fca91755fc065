"""ZIP archives, with those that are programs or packages of other systems (JAR, APK)."""

from __future__ import annotations

import bz2
import lzma
import stat
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece
from files.extraction.encoding import decode
from files.extraction.errors import MalformedFile, UnsupportedFormat
from files.extraction.formats.archives.archive_listing import Entry, EntryKind
from files.extraction.formats.archives.archives import Archive, Member, read_archive
from files.extraction.formats.archives.decompression import (
    Decompressor,
    deflate_stream,
    stored_part,
    unpacked_part,
    zstandard_stream,
)
from files.extraction.formats.archives.zip_directory import (
    ZipEnd,
    ZipRecord,
    data_start,
    directory,
    find_end,
    name_encoding,
    name_of,
    scan,
)
from files.extraction.limits import Limits

_STORED, _LZMA = 0, 14
_LINK_BYTES = 4096
_HEADER_BYTES = 30
_KNOWN_LOCALS = 200_000
_KEPT = 20_000
_CUT = "This archive ends too early: its directory is missing, and its entries were listed from what is there."
_LABELS = {
    "application/zip": "ZIP",
    "application/java-archive": "JAR",
    "application/vnd.android.package-archive": "APK",
}


class ZipExtractor(Extractor):
    """Lists a ZIP from its directory, or from the entries themselves when the directory is cut off."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the listing, the findings and, where asked, the members."""
        with source.path.open("rb") as file:
            yield from read_archive(_Zip(file, source, limits), source, limits)


class _Zip(Archive):
    def __init__(self, file: IO[bytes], source: Source, limits: Limits) -> None:
        self.format = _LABELS.get(source.media_type, "ZIP")
        self._file = file
        self._end: ZipEnd | None = find_end(file)
        self._limits = limits
        self._overlaps: frozenset[int] | None = None
        self._encoding = ""
        self._kept: list[ZipRecord] | None = None

    def entries(self) -> Iterator[Entry]:
        yield from (entry for entry, _ in self._both())
        if self._end is None:
            raise MalformedFile(_CUT)

    def members(self) -> Iterator[Member]:
        for entry, record in self._both():
            yield entry, self._content(record)

    def facts(self) -> dict[str, object]:
        if self._end is None or not self._end.comment.strip():
            return {}
        return {"comment": decode(self._end.comment)[0]}

    def _records(self) -> Iterator[ZipRecord]:
        if self._kept is not None:
            return iter(self._kept)
        return scan(self._file) if self._end is None else directory(self._file, self._end)

    def _both(self) -> Iterator[tuple[Entry, ZipRecord]]:
        """Yield each record with its entry. A first pass finds the names' encoding and the overlaps."""
        if self._overlaps is None:
            self._look_ahead()
        for at, record in enumerate(self._records()):
            yield self._entry(record, at), record

    def _look_ahead(self) -> None:
        """Read all records once, and keep them when they are not many."""
        spans: list[tuple[int, int, int]] = []
        unnamed: list[bytes] = []
        kept: list[ZipRecord] = []
        is_whole = True
        try:
            for at, record in enumerate(islice(self._records(), _KNOWN_LOCALS)):
                spans.append((record.local, record.local + _HEADER_BYTES + len(record.raw) + record.packed, at))
                if not record.is_utf8 and not record.name and not record.raw.isascii():
                    unnamed.append(record.raw)
                if at <= _KEPT:
                    kept.append(record)
        except MalformedFile:
            is_whole = False  # told when the entries are listed
        self._encoding = name_encoding(iter(unnamed))
        self._overlaps = frozenset(_overlapping(spans))
        self._kept = kept if is_whole and len(spans) <= _KEPT else None

    def _entry(self, record: ZipRecord, at: int) -> Entry:
        kind, target = EntryKind.FILE, ""
        name = name_of(record, self._encoding)
        kind_bits = stat.S_IFMT(record.unix_mode)
        if name.endswith("/") or kind_bits == stat.S_IFDIR:
            kind = EntryKind.FOLDER
        elif kind_bits == stat.S_IFLNK:
            kind, target = EntryKind.SYMLINK, self._target(record)
        elif kind_bits in (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
            kind = EntryKind.SPECIAL
        suspect = ("overlapping_entries",) if self._overlaps and at in self._overlaps else ()
        return Entry(name, record.size, record.packed, record.modified, kind, target, record.encrypted, suspect)

    def _target(self, record: ZipRecord) -> str:
        """Return where a link points to: that is its content."""
        if record.encrypted or record.packed > _LINK_BYTES:
            return "?"
        try:
            return decode(b"".join(self._content(record))[:_LINK_BYTES])[0]
        except (MalformedFile, UnsupportedFormat):
            return "?"

    def _content(self, record: ZipRecord) -> Iterator[bytes]:
        """Yield the content of an entry, never more than its directory says. Raises MalformedFile when that lies."""
        start = data_start(self._file, record)
        if record.method == _STORED:
            yield from stored_part(self._file, start, min(record.packed, record.size))
        else:
            make = _METHODS.get(record.method)
            if make is None:
                raise UnsupportedFormat("This file is packed in a way that cannot be unpacked here.")
            yield from unpacked_part(
                self._file, start, record.packed, make, record.size, ends_itself=record.method != _LZMA
            )


def _overlapping(spans: list[tuple[int, int, int]]) -> Iterator[int]:
    """Yield which entries begin before an earlier one ends, with the one they share bytes with."""
    reach, owner = -1, -1
    for start, end, at in sorted(spans):
        if start < reach:
            yield at
            yield owner
        if end > reach:
            reach, owner = end, at


class _LzmaStream:
    """LZMA as a ZIP has it: a header of its own before the bare data."""

    def __init__(self) -> None:
        self._held = b""
        self._inner: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return b""

    @property
    def needs_input(self) -> bool:
        return self._inner is None or self._inner.needs_input

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most `max_length` bytes."""
        if self._inner is not None:
            return self._inner.decompress(data, max_length)
        self._held += data
        if len(self._held) < 4:
            return b""
        length = struct.unpack_from("<H", self._held, 2)[0]
        if len(self._held) < 4 + length:
            return b""
        properties = self._held[4 : 4 + length]
        self._inner = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_lzma_filter(properties)])
        return self._inner.decompress(self._held[4 + length :], max_length)


def _lzma_filter(properties: bytes) -> dict[str, int]:
    if len(properties) < 5 or properties[0] >= 225:
        raise MalformedFile
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    size = min(max(int.from_bytes(properties[1:5], "little"), 4096), 256 << 20)
    return {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": size}


_METHODS: dict[int, Callable[[], Decompressor]] = {
    8: deflate_stream,
    12: bz2.BZ2Decompressor,
    _LZMA: _LzmaStream,
    93: zstandard_stream,
}
