"""TAR archives, header by header: ustar, old, GNU and pax, from a file or from a stream that can only go forward.

`tarfile` is not used: it reads a stream in blocks of 10 KiB, keeps every member, and believes the sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Protocol

from files.extraction.encoding import decode
from files.extraction.errors import MalformedFile, UnsafeArchive
from files.extraction.formats.archives.archive_listing import Entry, EntryKind, iso_time

RECORD = 512
_BLOCK = 1 << 20
_EXTENSION_BYTES = 1 << 20
_MAX_SIZE = 1 << 62
_TRUNCATED = "This archive ends too early: what comes after its last entry is missing."
_KINDS = {
    b"1": EntryKind.HARDLINK,
    b"2": EntryKind.SYMLINK,
    b"3": EntryKind.SPECIAL,
    b"4": EntryKind.SPECIAL,
    b"5": EntryKind.FOLDER,
    b"6": EntryKind.SPECIAL,
    b"D": EntryKind.FOLDER,
}
_NO_CONTENT = (EntryKind.SYMLINK, EntryKind.SPECIAL)


class Feed(Protocol):
    """Bytes that are read forward. Both methods do less than asked only at the end."""

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes."""

    def skip(self, size: int) -> int:
        """Pass over `size` bytes; return how many there were."""


class FileFeed:
    """A file on disk: skipping is free."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        return self._file.read(size)

    def skip(self, size: int) -> int:
        """Pass over `size` bytes; return how many there were."""
        here = self._file.tell()
        there = min(here + size, self._size)
        self._file.seek(there)
        return there - here


class BlockFeed:
    """Blocks from a decompressor: what is skipped is unpacked and dropped."""

    def __init__(self, blocks: Iterator[bytes], allowed: int) -> None:
        self._blocks = blocks
        self._held = b""
        self._at = 0
        self._allowed = allowed

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        if len(self._held) - self._at >= size:
            self._at += size
            return self._held[self._at - size : self._at]
        parts = [self._held[self._at :]]
        missing = size - len(parts[0])
        self._held, self._at = b"", 0
        while missing > 0 and (block := next(self._blocks, b"")):
            parts.append(block[:missing])
            self._held, self._at = block, min(missing, len(block))
            missing -= len(block)
        return b"".join(parts)

    def skip(self, size: int) -> int:
        """Pass over `size` bytes. Raises UnsafeArchive at once when they are more than may be unpacked at all."""
        if size > self._allowed:
            raise UnsafeArchive
        missing = size - (len(self._held) - self._at)
        if missing <= 0:
            self._at += size
            return size
        self._held, self._at = b"", 0
        while missing > 0 and (block := next(self._blocks, b"")):
            self._held, self._at = block, min(missing, len(block))
            missing -= len(block)
        return size - max(0, missing)


@dataclass(slots=True)
class _Extensions:
    """What the headers before an entry say about it."""

    name: str = ""
    target: str = ""
    size: int | None = None
    real_size: int | None = None
    modified: str = ""


@dataclass(slots=True)
class Tar:
    """Walks one archive, once. `content_of` is only for the entry that was yielded last."""

    feed: Feed
    _left: int = 0
    _padding: int = 0
    _count: int = field(default=0)

    def entries(self) -> Iterator[Entry]:
        """Yield the entries. Raises MalformedFile where the archive is damaged or cut, UnsafeArchive."""
        extensions = _Extensions()
        while header := self._next_header():
            size = _number(header[124:136])
            if not 0 <= size < _MAX_SIZE:
                raise MalformedFile
            flag = header[156:157]
            if flag in (b"L", b"K", b"x", b"X", b"g"):
                self._extend(extensions, flag, size)
                continue
            yield self._entry(header, flag, size, extensions)
            extensions = _Extensions()

    def content_of(self, entry: Entry) -> Iterator[bytes]:
        """Yield the bytes of the entry that `entries` gave last."""
        while self._left:
            block = self.feed.read(min(self._left, _BLOCK))
            if not block:
                raise MalformedFile(_TRUNCATED)
            self._left -= len(block)
            yield block

    def _next_header(self) -> bytes:
        """Return the next header, nothing at the archive's end."""
        rest = self._left + self._padding
        if rest and self.feed.skip(rest) < rest - self._padding:
            raise MalformedFile(_TRUNCATED)
        self._left = self._padding = 0
        header = self.feed.read(RECORD)
        if not header.strip(b"\x00"):
            if len(header) < RECORD and not self._count:
                raise MalformedFile
            return b""
        if len(header) < RECORD:
            raise MalformedFile(_TRUNCATED)
        if not is_header(header):
            raise MalformedFile
        self._count += 1
        return header

    def _entry(self, header: bytes, flag: bytes, size: int, extensions: _Extensions) -> Entry:
        name = extensions.name or _full_name(header)
        kind = _KINDS.get(flag, EntryKind.FOLDER if name.endswith("/") else EntryKind.FILE)
        stored = 0 if kind in _NO_CONTENT or (kind is EntryKind.HARDLINK and extensions.size is None) else size
        stored = extensions.size if extensions.size is not None and stored == size else stored
        real = extensions.real_size
        if flag == b"S":
            real = _number(header[483:495])
            self._skip_sparse_map(header)
        self._left, self._padding = stored, -stored % RECORD
        is_program = kind is EntryKind.FILE and _number(header[100:108]) & 0o6000
        return Entry(
            name,
            real if real is not None else stored,
            modified=extensions.modified or iso_time(_number(header[136:148])),
            kind=kind,
            target=extensions.target or (_text(header[157:257]) if flag in (b"1", b"2") else ""),
            suspect=("set_user_id",) if is_program else (),
        )

    def _skip_sparse_map(self, header: bytes) -> None:
        more = header[482] if len(header) > 482 else 0
        while more:
            record = self.feed.read(RECORD)
            if len(record) < RECORD:
                raise MalformedFile(_TRUNCATED)
            more = record[504]

    def _extend(self, extensions: _Extensions, flag: bytes, size: int) -> None:
        if size > _EXTENSION_BYTES:
            raise MalformedFile
        data = self.feed.read(size)
        if len(data) < size:
            raise MalformedFile(_TRUNCATED)
        self.feed.skip(-size % RECORD)
        if flag == b"L":
            extensions.name = _text(data)
        elif flag == b"K":
            extensions.target = _text(data)
        elif flag in (b"x", b"X"):
            _read_pax(data, extensions)


def is_header(record: bytes) -> bool:
    """Tell whether `record`, 512 bytes, is a TAR header: its checksum is right."""
    if len(record) < RECORD or not record.strip(b"\x00"):
        return False
    told = _number(record[148:156])
    rest = record[:148] + b" " * 8 + record[156:]
    # Some old writers summed the bytes as signed ones.
    return told == sum(rest) or told == sum(byte - 256 if byte > 127 else byte for byte in rest)


def _full_name(header: bytes) -> str:
    name = _text(header[:100])
    if header[257:263] == b"ustar\x00" and (prefix := _text(header[345:500])):
        return f"{prefix}/{name}"
    return name


def _text(data: bytes) -> str:
    raw = data.partition(b"\x00")[0]
    return raw.decode() if raw.isascii() else decode(raw)[0]


def _number(data: bytes) -> int:
    """Read an octal number, or the binary form that GNU tar uses for large ones. What is neither counts as -1."""
    if data[0] & 0x80:
        return int.from_bytes(bytes([data[0] & 0x7F]) + data[1:], "big") if data[0] != 0xFF else -1
    digits = data.replace(b"\x00", b" ").strip()
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return -1


def _read_pax(data: bytes, extensions: _Extensions) -> None:
    """Read "length key=value\\n" records; a wrong length ends them."""
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 12)
        if space < 0 or not data[at:space].isdigit():
            return
        end = at + int(data[at:space])
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space:
            return
        _apply_pax(key, value, extensions)
        at = end


def _apply_pax(key: bytes, value: bytes, extensions: _Extensions) -> None:
    if (key == b"path" and not extensions.name) or key == b"GNU.sparse.name":
        extensions.name = value.decode("utf-8", "replace")
    elif key == b"linkpath":
        extensions.target = value.decode("utf-8", "replace")
    elif key == b"size" and value.isdigit() and len(value) < 20:
        extensions.size = int(value)
    elif key in (b"GNU.sparse.realsize", b"GNU.sparse.size") and value.isdigit() and len(value) < 20:
        extensions.real_size = int(value)
    elif key == b"mtime":
        whole = value.partition(b".")[0]
        extensions.modified = iso_time(int(whole)) if whole.isdigit() and len(whole) < 12 else ""
