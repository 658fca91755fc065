"""The compression of rich bodies in Outlook messages. Source: [MS-OXRTFCP]."""

from __future__ import annotations

import struct

from files.extraction.errors import MalformedFile, UnsafeArchive

_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_RING = 4096
_RATIO = 32  # a reference of two bytes stands for at most 17


def decompressed_rtf(data: bytes, allowed: int) -> bytes:
    """Return the RTF in a compressed body. Raises MalformedFile; UnsafeArchive above `allowed` bytes."""
    if len(data) < 16:
        raise MalformedFile
    _, size, kind = struct.unpack_from("<III", data)
    if kind == _PLAIN:
        return data[16 : 16 + size]
    if kind != _COMPRESSED:
        raise MalformedFile
    if min(size, len(data) * _RATIO) > allowed:
        raise UnsafeArchive
    return _unpacked(data, min(size, len(data) * _RATIO))


def _unpacked(data: bytes, size: int) -> bytes:
    ring = bytearray(_DICTIONARY.ljust(_RING, b"\0"))
    write = len(_DICTIONARY)
    out = bytearray()
    at = 16
    while at < len(data) and len(out) < size:
        control = data[at]
        at += 1
        for bit in range(8):
            if at >= len(data):
                break
            if not control >> bit & 1:
                run = data[at : at + 1]
                at += 1
            else:
                reference = int.from_bytes(data[at : at + 2], "big")
                at += 2
                start, length = reference >> 4, (reference & 0xF) + 2
                if start == write:
                    return bytes(out)
                run = _copied(ring, start, length, write)
            for byte in run:
                ring[write] = byte
                write = (write + 1) % _RING
            out += run
    return bytes(out)


def _copied(ring: bytearray, start: int, length: int, write: int) -> bytes:
    """Return a run of the ring, which may reach into what it writes itself."""
    run = bytearray()
    for step in range(length):
        at = (start + step) % _RING
        ahead = (at - write) % _RING
        run.append(run[ahead] if ahead < len(run) else ring[at])
    return bytes(run)
