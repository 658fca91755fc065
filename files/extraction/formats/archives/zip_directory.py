"""The directory of a ZIP archive, read by hand: names in old encodings, lies, overlaps and cut ends included.

`zipfile` makes an object per entry before it can be stopped, decodes every old name as CP437, and refuses an archive
without its end. Packages (DOCX and the like) keep using it, through `packages`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from files.extraction.encoding import guess_encoding
from files.extraction.errors import MalformedFile
from files.extraction.formats.archives.archive_listing import dos_time

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_TAIL = 66_000
_BLOCK = 1 << 20
_LOCAL_ROOM = 2048  # a header with its name is judged when this much of the file is at hand
_MAX32 = 0xFFFFFFFF
_NAME_SAMPLE = 64 * 1024
_UTF8_FLAG, _ENCRYPTED_FLAG, _STREAMED_FLAG = 0x800, 0x1, 0x8
_LOCAL_MARK = re.compile(rb"PK\x03\x04")
_COMMON_PAIRS = {
    "cp932": re.compile(rb"[\x82\x83\x88-\x97][\x40-\xfc]"),  # kana and the kanji of the first level
    "gb18030": re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]"),
    "big5": re.compile(rb"[\xa1-\xc6](?:[\x40-\x7e]|[\xa1-\xfe])"),
}


@dataclass(frozen=True, slots=True)
class ZipRecord:
    """An entry as the directory tells it; `raw` is its name undecoded, `local` where its own header stands."""

    raw: bytes
    is_utf8: bool
    method: int
    encrypted: bool
    size: int
    packed: int
    modified: str
    local: int
    unix_mode: int = 0
    is_dos_folder: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class ZipEnd:
    """What the record at the archive's end tells: how many entries, where the directory is, the comment."""

    count: int
    start: int
    size: int
    shift: int  # bytes that were put before the archive: a program that unpacks itself
    comment: bytes


def find_end(file: IO[bytes]) -> ZipEnd | None:
    """Return the end record; None when the archive is cut off."""
    size = file.seek(0, 2)
    base = max(0, size - _TAIL)
    file.seek(base)
    tail = file.read(_TAIL)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        return None
    _, _, _, _, count, length, start, comment_length = _END.unpack_from(tail, at)
    position = base + at
    is_wide = count == 0xFFFF or _MAX32 in (length, start)
    if is_wide and (found := _find_end64(file, position)):
        count, length, start, position = found
    shift = position - length - start
    if shift < 0 or start + shift > size:
        return None
    comment = tail[at + _END.size : at + _END.size + comment_length]
    return ZipEnd(count, start + shift, length, shift, comment)


def directory(file: IO[bytes], end: ZipEnd) -> Iterator[ZipRecord]:
    """Yield the records of the central directory, in blocks of the file. Raises MalformedFile where it is damaged."""
    held, left, position = b"", end.size, end.start
    while left > 0 or held:
        if len(held) < _CENTRAL.size + 3 * 0xFFFF and left > 0:
            file.seek(position)  # whoever reads an entry in between moves the file
            block = file.read(min(left, _BLOCK))
            position += len(block)
            left = left - len(block) if block else 0
            held += block
        at = 0
        while len(held) - at >= _CENTRAL.size + (3 * 0xFFFF if left > 0 else 0):
            record, length = _central(held, at, end.shift)
            at += length
            yield record
        if at == 0 and left <= 0:
            if len(held) >= 4 and held[:4] != b"PK\x05\x05":  # a digital signature may follow the records
                raise MalformedFile
            return
        held = held[at:]


def scan(file: IO[bytes]) -> Iterator[ZipRecord]:
    """Yield what the entries' own headers tell, for an archive whose directory is missing."""
    base, held, skip_to, more = 0, b"", 0, True
    while more:
        file.seek(base + len(held))  # whoever reads an entry in between moves the file
        block = file.read(_BLOCK)
        held, more = held + block, bool(block)
        for found in _LOCAL_MARK.finditer(held, max(0, min(skip_to - base, len(held)))):
            at = found.start()
            if base + at < skip_to or (more and len(held) - at < _LOCAL_ROOM):
                continue
            if record := _local(held, at, base + at):
                skip_to = base + at + _LOCAL.size + len(record.raw) + record.packed
                yield record
        cut = max(0, len(held) - _LOCAL_ROOM + 1)
        base, held = base + cut, held[cut:]


def data_start(file: IO[bytes], record: ZipRecord) -> int:
    """Return where the content of `record` starts. Raises MalformedFile."""
    file.seek(record.local)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
        raise MalformedFile
    *_, name_length, extra_length = _LOCAL.unpack(head)
    return record.local + _LOCAL.size + int(name_length) + int(extra_length)


def name_encoding(raw_names: Iterator[bytes]) -> str:
    """Return the encoding of the names that do not say theirs: that of the whole, where it can be told."""
    sample = bytearray()
    for raw in raw_names:
        sample += raw + b"\n"
        if len(sample) > _NAME_SAMPLE:
            break
    if not sample:
        return "utf-8"
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError:
        return _old_encoding(bytes(sample))
    return "utf-8"


def name_of(record: ZipRecord, encoding: str) -> str:
    """Return the name of `record` as text."""
    return record.name or record.raw.decode("utf-8" if record.is_utf8 else encoding, "replace")


def _old_encoding(sample: bytes) -> str:
    """Tell the system that wrote the names: they are too short for statistics over letters.

    DOS names of Western Europe (CP437, the ZIP standard) have single high bytes, Russian ones none between the letters;
    East Asian ones are told by how many of their pairs are common characters of each set.
    """
    high = [byte for byte in sample if byte > 127]
    alone = len(re.findall(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", sample))
    if alone * 2 > len(high):
        return "cp437" if all(byte < 0xB0 or byte >= 0xE0 for byte in high) else "cp1252"
    if all(byte < 0xB0 or 0xE0 <= byte <= 0xF1 for byte in high):
        return "cp866"
    shares = sorted(((_common_share(sample, name), name) for name in _COMMON_PAIRS), reverse=True)
    if shares[0][0] > 0.7 and shares[0][0] > shares[1][0]:
        return shares[0][1]
    return guess_encoding(sample)


def _common_share(sample: bytes, encoding: str) -> float:
    """Return how many of the two-byte characters are among the common ones of `encoding`."""
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    pairs = re.findall(rb"[\x80-\xff][\x40-\xff]", sample)
    return len([pair for pair in pairs if _COMMON_PAIRS[encoding].match(pair)]) / max(1, len(pairs))


def _find_end64(file: IO[bytes], end: int) -> tuple[int, int, int, int] | None:
    file.seek(max(0, end - _END64_LOCATOR.size))
    locator = file.read(_END64_LOCATOR.size)
    if len(locator) < _END64_LOCATOR.size or locator[:4] != b"PK\x06\x07":
        return None
    told = _END64_LOCATOR.unpack(locator)[2]
    for at in (end - _END64_LOCATOR.size - _END64.size, told):  # bytes before the archive make the told one wrong
        if not 0 <= at < end:
            continue
        file.seek(at)
        record = file.read(_END64.size)
        if len(record) == _END64.size and record[:4] == b"PK\x06\x06":
            *_, count, length, start = _END64.unpack(record)
            return int(count), int(length), int(start), at
    return None


def _central(data: bytes, at: int, shift: int) -> tuple[ZipRecord, int]:
    fields = _CENTRAL.unpack_from(data, at)
    if fields[0] != b"PK\x01\x02":
        raise MalformedFile
    system, flags, method, time, date = fields[2], *fields[5:9]
    packed, size, name_length, extra_length, comment_length = fields[10:15]
    external, local = fields[17], fields[18]
    name_at = at + _CENTRAL.size
    extra_at = name_at + name_length
    length = _CENTRAL.size + name_length + extra_length + comment_length
    if at + length > len(data):
        raise MalformedFile
    raw = data[name_at:extra_at]
    name = ""
    if extra_length:
        size, packed, local, name = _extra(data[extra_at : extra_at + extra_length], size, packed, local)
    record = ZipRecord(
        raw=raw,
        is_utf8=bool(flags & _UTF8_FLAG),
        method=method,
        encrypted=bool(flags & _ENCRYPTED_FLAG),
        size=size,
        packed=packed,
        modified=dos_time(date << 16 | time),
        local=local + shift,
        unix_mode=external >> 16 if system in (3, 19) else 0,
        is_dos_folder=bool(external & 0x10),
        name=name,
    )
    return record, length


def _local(data: bytes, at: int, position: int) -> ZipRecord | None:
    if len(data) - at < _LOCAL.size:
        return None
    _, _, _, flags, method, time, date, _, packed, size, name_length, extra_length = _LOCAL.unpack_from(data, at)
    raw = data[at + _LOCAL.size : at + _LOCAL.size + name_length]
    if len(raw) < name_length or not raw:
        return None
    if flags & _STREAMED_FLAG and not packed:
        packed = size = 0
    extra = data[at + _LOCAL.size + name_length : at + _LOCAL.size + name_length + extra_length]
    size, packed, _, name = _extra(extra, size, packed, 0)
    encrypted = bool(flags & _ENCRYPTED_FLAG)
    return ZipRecord(
        raw, bool(flags & _UTF8_FLAG), method, encrypted, size, packed, dos_time(date << 16 | time), position, name=name
    )


def _extra(extra: bytes, size: int, packed: int, local: int) -> tuple[int, int, int, str]:
    """Read sizes above 4 GiB and names in Unicode from an entry's extra fields."""
    at, name = 0, ""
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        if kind == 1:
            wide = iter(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
            size = next(wide, size) if size == _MAX32 else size
            packed = next(wide, packed) if packed == _MAX32 else packed
            local = next(wide, local) if local == _MAX32 else local
        elif kind == 0x7075 and len(body) > 5:
            name = body[5:].decode("utf-8", "replace")
        at += 4 + length
    return size, packed, local, name
