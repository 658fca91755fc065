"""Width and height from the first bytes of a picture that Pillow refuses: cut off, or with a damaged block."""

from __future__ import annotations

import struct
from collections.abc import Callable

_START_OF_FRAME = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))


def header_facts(head: bytes) -> dict[str, object]:
    """Return format, width and height as the header of `head` says; nothing when it does not say."""
    for mark, name, read in _HEADERS:
        if head.startswith(mark):
            try:
                width, height = read(head)
            except (struct.error, IndexError, ValueError):
                return {}
            return {"format": name, "width": width, "height": height} if width and height else {}
    return {}


def _png(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _gif(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack("<HH", head[6:10])
    return width, height


def _bmp(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack("<ii", head[18:26])
    return abs(width), abs(height)


def _jpeg(head: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(head):
        if head[at] != 0xFF:
            break
        mark = head[at + 1]
        if mark in _START_OF_FRAME:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    raise ValueError("no frame")


_HEADERS: tuple[tuple[bytes, str, Callable[[bytes], tuple[int, int]]], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG", _png),
    (b"GIF8", "GIF", _gif),
    (b"BM", "BMP", _bmp),
    (b"\xff\xd8", "JPEG", _jpeg),
)
