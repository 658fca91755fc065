"""OLE containers of a few streams, made on the spot. Source: [MS-CFB]."""

from __future__ import annotations

import struct
from collections.abc import Mapping

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def ole(streams: Mapping[str, bytes]) -> bytes:
    """A container with `streams` in its root, each padded to the size from which it has sectors of its own."""
    padded = {name: data + bytes(max(0, 4096 - len(data))) for name, data in streams.items()}
    entries = [_entry("Root Entry", 5, start=_END, child=1 if padded else _FREE)]
    table = [_FAT, _END]  # the table itself, then the directory
    body = b""
    for at, (name, data) in enumerate(padded.items(), 1):
        start, count = len(table), -(-len(data) // _SECTOR)
        table += [*range(start + 1, start + count), _END]
        body += data + bytes(-len(data) % _SECTOR)
        right = at + 1 if at < len(padded) else _FREE
        entries.append(_entry(name, 2, start=start, size=len(data), right=right))
    directory = b"".join(entries)
    directory += bytes(-len(directory) % _SECTOR)
    if len(directory) > _SECTOR or len(table) > 128:
        raise ValueError("more than a sample holds")
    fat = struct.pack(f"<{len(table)}I", *table) + struct.pack("<I", _FREE) * (128 - len(table))
    return _header() + fat + directory + body


def native(path: str, data: bytes) -> bytes:
    """The stream in which Office keeps a file that it cannot open itself."""
    name = path.rpartition("\\")[2].encode() + b"\0"
    full = path.encode() + b"\0"
    inner = struct.pack("<H", 2) + name + full + struct.pack("<II", 0x30000, len(full)) + full
    inner += struct.pack("<I", len(data)) + data
    return struct.pack("<I", len(inner)) + inner


def _header() -> bytes:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    return head + struct.pack("<I", 0) + struct.pack("<I", _FREE) * 108


def _entry(name: str, kind: int, *, start: int = 0, size: int = 0, right: int = _FREE, child: int = _FREE) -> bytes:
    written = (name + "\0").encode("utf-16-le")
    head = written + bytes(64 - len(written)) + struct.pack("<HBB", len(written), kind, 1)
    head += struct.pack("<III", _FREE, right, child) + bytes(36)
    return head + struct.pack("<IQ", start, size)
