"""The headers of RAR archives, versions 1.5 to 4 and 5: names, sizes and times; packed content needs RAR itself.

Written from the format notes that RARLAB publishes. Files that are stored, not packed, can be read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from files.extraction.encoding import decode
from files.extraction.errors import EncryptedFile, MalformedFile
from files.extraction.formats.archives.archive_listing import dos_time, iso_time

MARK_4 = b"Rar!\x1a\x07\x00"
MARK_5 = b"Rar!\x1a\x07\x01\x00"
_HEADER_BYTES = 2 << 20
_BLOCK_4 = struct.Struct("<HBHH")
_FILE_4 = struct.Struct("<IIBIIBBHI")
_MAIN_4, _ENTRY_4, _END_4 = 0x73, 0x74, 0x7B
_ENTRY_5, _ENCRYPTION_5, _END_5 = 2, 4, 5
_TRUNCATED = "This archive ends too early: what comes after its last entry is missing."


@dataclass(frozen=True, slots=True)
class RarEntry:
    """One entry. `start` is where its content stands when it is `stored` as it is."""

    name: str
    size: int
    packed: int
    modified: str
    is_folder: bool = False
    encrypted: bool = False
    stored: bool = False
    mode: int = 0
    target: str = ""
    is_hardlink: bool = False
    is_split: bool = False
    start: int = 0


def rar_entries(file: IO[bytes]) -> Iterator[RarEntry]:
    """Yield the entries. Raises MalformedFile where the archive is damaged, EncryptedFile when names are hidden."""
    file.seek(0)
    mark = file.read(8)
    try:
        if mark.startswith(MARK_5):
            yield from _version_5(file, len(MARK_5))
        elif mark.startswith(MARK_4):
            yield from _version_4(file, len(MARK_4))
        else:
            raise MalformedFile
    except (struct.error, IndexError, OverflowError) as exc:
        raise MalformedFile from exc


def _version_4(file: IO[bytes], at: int) -> Iterator[RarEntry]:
    total = file.seek(0, 2)
    while at < total:
        file.seek(at)
        head = file.read(_BLOCK_4.size)
        if len(head) < _BLOCK_4.size:
            raise MalformedFile(_TRUNCATED)
        crc, kind, flags, length = _BLOCK_4.unpack(head)
        body = file.read(max(0, length - _BLOCK_4.size))
        if length < _BLOCK_4.size or len(body) < length - _BLOCK_4.size:
            raise MalformedFile(_TRUNCATED)
        if kind == _END_4:
            return
        if kind in (_MAIN_4, _ENTRY_4) and not _is_right(crc, kind, flags, head, body):
            raise MalformedFile
        if kind == _MAIN_4 and flags & 0x80:
            raise EncryptedFile
        packed = struct.unpack_from("<I", body)[0] if flags & 0x8000 or kind == _ENTRY_4 else 0
        at += length
        if kind == _ENTRY_4:
            entry = _entry_4(body, flags, at)
            packed = entry.packed
            if entry.name:
                yield entry
        at += packed
    if at > total:  # old versions write no end block
        raise MalformedFile(_TRUNCATED)


def _is_right(crc: int, kind: int, flags: int, head: bytes, body: bytes) -> bool:
    """Check a header's sum. A main header with an old comment is summed without it."""
    data = head[2:] + body
    if kind == _MAIN_4 and flags & 2:
        data = data[:11]
    return zlib.crc32(data) & 0xFFFF == crc or bool(flags & 8)  # an entry with an old comment inside it


def _entry_4(body: bytes, flags: int, start: int) -> RarEntry:
    packed, size, system, _, time, _, method, name_length, attributes = _FILE_4.unpack_from(body)
    at = _FILE_4.size
    if flags & 0x100:
        high_packed, high_size = struct.unpack_from("<II", body, at)
        packed, size, at = packed | high_packed << 32, size | high_size << 32, at + 8
    raw = body[at : at + name_length]
    if len(raw) < name_length:
        raise MalformedFile
    mode = attributes & 0xFFFF if system == 3 else 0
    return RarEntry(
        _name_4(raw, unicode=bool(flags & 0x200)).replace("\\", "/"),
        0 if size in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else size,
        packed,
        dos_time(time),
        is_folder=flags & 0xE0 == 0xE0,
        encrypted=bool(flags & 4),
        stored=method == 0x30,
        mode=mode,
        is_split=bool(flags & 3),
        start=start,
    )


def _name_4(raw: bytes, *, unicode: bool) -> str:
    plain, mark, packed = raw.partition(b"\x00")
    if not unicode:
        return decode(plain)[0]
    if not mark:
        return raw.decode("utf-8", "replace")
    return _packed_name(plain, packed) if packed else decode(plain)[0]


def _packed_name(plain: bytes, packed: bytes) -> str:
    """Unpack a name in Unicode, told as differences from the plain one: two bits say how each piece is told."""
    out: list[int] = []
    high, at, flags, bits = packed[0], 1, 0, 0
    while at < len(packed):
        if not bits:
            flags, bits, at = packed[at], 8, at + 1
            continue
        bits -= 2
        how = flags >> bits & 3
        if how == 0:
            out.append(packed[at])
        elif how == 1:
            out.append(packed[at] | high << 8)
        elif how == 2 and at + 1 < len(packed):
            out.append(packed[at] | packed[at + 1] << 8)
            at += 1
        elif how == 3:
            at += _repeat(plain, packed, at, out, high)
        at += 1
    return b"".join(struct.pack("<H", code) for code in out).decode("utf-16-le", "replace")


def _repeat(plain: bytes, packed: bytes, at: int, out: list[int], high: int) -> int:
    """Copy a run of the plain name; return how many bytes beyond the count it took."""
    count = packed[at]
    is_shifted = bool(count & 0x80) and at + 1 < len(packed)
    shift = packed[at + 1] if is_shifted else 0
    for _ in range((count & 0x7F) + 2):
        if len(out) >= len(plain):
            break
        code = plain[len(out)]
        out.append((code + shift & 0xFF) | high << 8 if is_shifted else code)
    return int(is_shifted)


def _version_5(file: IO[bytes], at: int) -> Iterator[RarEntry]:
    total = file.seek(0, 2)
    while at < total:
        file.seek(at)
        head = _Numbers(file.read(16))
        crc = head.fixed(4)
        length = head.number()
        if length > _HEADER_BYTES or length < 2:
            raise MalformedFile
        sized = head.at - 4
        file.seek(at + 4)
        data = file.read(sized + length)
        if len(data) < sized + length:
            raise MalformedFile(_TRUNCATED)
        if zlib.crc32(data) != crc:
            raise MalformedFile
        body = _Numbers(data[sized:])
        kind, flags = body.number(), body.number()
        extra = body.number() if flags & 1 else 0
        packed = body.number() if flags & 2 else 0
        at += 4 + sized + length
        if kind == _ENCRYPTION_5:
            raise EncryptedFile
        if kind == _END_5:
            return
        if kind == _ENTRY_5:
            yield _entry_5(body, extra, packed, at, is_split=bool(flags & 0x18))
        at += packed
    raise MalformedFile(_TRUNCATED)


def _entry_5(body: _Numbers, extra: int, packed: int, start: int, *, is_split: bool) -> RarEntry:
    flags, size, attributes = body.number(), body.number(), body.number()
    modified = iso_time(body.fixed(4)) if flags & 2 else ""
    if flags & 4:
        body.fixed(4)
    packing, system = body.number(), body.number()
    name = body.text(body.number())
    encrypted, target, hard, modified = _extras_5(body.data[len(body.data) - extra :] if extra else b"", modified)
    return RarEntry(
        name,
        0 if flags & 8 else size,
        packed,
        modified,
        is_folder=bool(flags & 1),
        encrypted=encrypted,
        stored=packing >> 7 & 7 == 0,
        mode=attributes if system == 1 else 0,
        target=target,
        is_hardlink=hard,
        is_split=is_split,
        start=start,
    )


def _extras_5(data: bytes, modified: str) -> tuple[bool, str, bool, str]:
    encrypted, target, hard = False, "", False
    records = _Numbers(data)
    while records.at < len(data):
        end = records.number()
        end += records.at
        kind = records.number()
        if kind == 1:
            encrypted = True
        elif kind == 3:
            modified = _time_5(records) or modified
        elif kind == 5:
            how, _ = records.number(), records.number()
            target, hard = records.text(records.number()), how in (4, 5)
        records.at = end
    return encrypted, target, hard, modified


def _time_5(records: _Numbers) -> str:
    flags = records.number()
    if not flags & 2:
        return ""
    if flags & 1:
        return iso_time(records.fixed(4))
    return iso_time(records.fixed(8) / 10_000_000 - 11_644_473_600)


class _Numbers:
    """A cursor over a header of version 5. Reading past its end raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self) -> int:
        """Read a number of seven bits a byte."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
        raise MalformedFile

    def fixed(self, size: int) -> int:
        """Read a number of `size` bytes."""
        if self.at + size > len(self.data):
            raise IndexError
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "little")

    def text(self, size: int) -> str:
        """Read UTF-8 text of `size` bytes."""
        if self.at + size > len(self.data):
            raise IndexError
        self.at += size
        return self.data[self.at - size : self.at].decode("utf-8", "replace")
