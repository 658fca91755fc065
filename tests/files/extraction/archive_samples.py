"""Archives made on the spot, also those that no packer would make."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from files.extraction.base import Source
from files.extraction.document import Piece
from files.extraction.limits import Limits
from files.extraction.options import Options
from files.extraction.reading import read_pieces
from files.extraction.registry import find


def read_with_members(path: Path, media_type: str, limits: Limits | None = None) -> list[Piece]:
    """Return the pieces of an archive, its members read."""
    return read_with_scratch(path, media_type, limits, Options(archive_members=True))


def read_with_scratch(
    path: Path, media_type: str, limits: Limits | None = None, options: Options | None = None
) -> list[Piece]:
    """Return the pieces of a file that may have files inside."""
    scratch = path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    source = Source(path, path.name, media_type, options or Options(), scratch=scratch)
    return list(read_pieces(find(media_type), source, limits or Limits()))


def tar(entries: Sequence[tuple[str, bytes]], *, links: Sequence[tuple[str, str, bytes]] = ()) -> bytes:
    """A TAR of files, then of links and special files: (name, target, type)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_700_000_000
            archive.addfile(info, io.BytesIO(content))
        for name, target, kind in links:
            info = tarfile.TarInfo(name)
            info.linkname, info.type = target, kind
            archive.addfile(info)
    return out.getvalue()


def seven_zip(files: Sequence[tuple[str, bytes]], *, coder: bytes = b"\x21\x21\x01\x0c", packed: bytes = b"") -> bytes:
    """A 7-Zip archive of one folder, packed with LZMA2 unless `coder` and `packed` say otherwise."""
    content = b"".join(data for _, data in files)
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 18}]
    packed = packed or lzma.compress(content, lzma.FORMAT_RAW, filters=filters)
    sizes = b"".join(_number(len(data)) for _, data in files[:-1])
    substreams = b"\x08\x0d" + _number(len(files)) + (b"\x09" + sizes if sizes else b"") + b"\x00"
    names = b"\x00" + b"".join(name.encode("utf-16-le") + b"\x00\x00" for name, _ in files)
    times = b"\x01\x00" + struct.pack("<Q", 133_500_000_000_000_000) * len(files)
    header = (
        b"\x01\x04\x06\x00\x01\x09" + _number(len(packed)) + b"\x00"
        + b"\x07\x0b\x01\x00\x01" + coder + b"\x0c" + _number(len(content)) + b"\x00" + substreams + b"\x00"
        + b"\x05" + _number(len(files)) + b"\x11" + _number(len(names)) + names
        + b"\x14" + _number(len(times)) + times + b"\x00\x00"
    )  # fmt: skip
    return seven_zip_around(packed, header)


def seven_zip_around(packed: bytes, header: bytes) -> bytes:
    """A 7-Zip file of these packed data and this header."""
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


def _number(value: int) -> bytes:
    return bytes([0xC0 | value >> 16]) + struct.pack("<H", value & 0xFFFF)


def rar5(files: Sequence[tuple[str, bytes]], *, extra: bytes = b"") -> bytes:
    """A RAR archive of version 5 with stored files; `extra` is put into each header."""
    out = b"Rar!\x1a\x07\x01\x00" + _block5(b"\x01\x00\x00")
    for name, content in files:
        raw = name.encode()
        fields = b"\x02" + _vint(len(content)) + b"\x20" + struct.pack("<I", 1_700_000_000)
        fields += b"\x00\x01" + _vint(len(raw)) + raw
        flags = b"\x03" + _vint(len(extra)) if extra else b"\x02"
        out += _block5(b"\x02" + flags + _vint(len(content)) + fields + extra) + content
    return out + _block5(b"\x05\x00\x00")


def _block5(body: bytes) -> bytes:
    sized = _vint(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def _vint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def rar4(files: Sequence[tuple[bytes, bytes]], *, flags: int = 0, main_flags: int = 0) -> bytes:
    """A RAR archive of version 4 with stored files; names as bytes."""
    out = b"Rar!\x1a\x07\x00" + _block4(0x73, main_flags, b"\x00" * 6)
    for name, content in files:
        fields = struct.pack("<IIBIIBBHI", len(content), len(content), 3, 0, 0x57A1_6000, 20, 0x30, len(name), 0o100644)
        out += _block4(0x74, 0x8000 | flags, fields + name) + content
    return out + _block4(0x7B, 0x4000, b"")


def _block4(kind: int, flags: int, body: bytes) -> bytes:
    data = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
    return struct.pack("<H", zlib.crc32(data) & 0xFFFF) + data


def ar(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """An `ar` archive."""
    out = b"!<arch>\n"
    for name, content in parts:
        out += f"{name:<16}{1_700_000_000:<12}0     0     100644  {len(content):<10}`\n".encode() + content
        out += b"\n" * (len(content) % 2)
    return out
