"""The boxes of a HEIF file that say what is in it: the primary picture's size, its turn, its EXIF and XMP blocks.

ISO/IEC 23008-12 and 14496-12. Nothing is decoded: the decoders of HEVC come under licences that are not taken.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from files.extraction.errors import MalformedFile

_META_BYTES = 16 << 20
_BLOCK_BYTES = 4 << 20
_BOXES = 20_000
_ITEMS = 5_000
_FULL = 4  # bytes of version and flags before a full box's content


@dataclass(slots=True)
class HeifFacts:
    """What the boxes say. Sizes in pixels, as stored; `turns` counts quarter turns counter-clockwise."""

    brand: str = ""
    width: int = 0
    height: int = 0
    turns: int = 0
    bit_depth: int = 0
    codec: str = ""
    pictures: int = 0
    exif: bytes = b""
    xmp: bytes = b""


@dataclass(slots=True)
class _Meta:
    """The tables of the meta box, by item."""

    primary: int = 0
    kinds: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    places: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)  # items that lie in the meta box's own data
    data: bytes = b""
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    owned: dict[int, list[int]] = field(default_factory=dict)


def heif_facts(file: BinaryIO) -> HeifFacts:
    """Return what the boxes of `file` say. Raises MalformedFile when there is no picture's size in them."""
    facts = HeifFacts()
    try:
        meta = _read_meta(file, facts)
        _describe(meta, facts)
        for item, (kind, content) in list(meta.kinds.items())[:_ITEMS]:
            if kind == b"Exif" and not facts.exif:
                facts.exif = _exif_block(_content(file, meta, item))
            elif kind == b"mime" and b"rdf+xml" in content and not facts.xmp:
                facts.xmp = _content(file, meta, item)
    except (struct.error, IndexError, OSError, ValueError, OverflowError) as exc:
        raise MalformedFile from exc
    if not (facts.width and facts.height):
        raise MalformedFile
    return facts


def _read_meta(file: BinaryIO, facts: HeifFacts) -> _Meta:
    size = file.seek(0, 2)
    at = 0
    for _ in range(_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head[:8])
        header = 8
        if length == 1:
            length, header = struct.unpack(">Q", head[8:16])[0], 16
        length = size - at if length == 0 else length
        if kind == b"ftyp":
            facts.brand = head[8:12].decode("ascii", "ignore").strip()
        if kind == b"meta":
            file.seek(at + header)
            return _parse_meta(file.read(min(length - header, _META_BYTES)))
        if length < header:
            break
        at += length
    raise MalformedFile


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(_BOXES):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        if length < 8 or at + length > len(data):
            return
        yield kind, data[at + 8 : at + length]
        at += length


def _parse_meta(data: bytes) -> _Meta:
    meta = _Meta()
    for kind, content in _boxes(data[_FULL:]):
        if kind == b"pitm":
            meta.primary = int.from_bytes(content[4 : 8 if content[0] else 6], "big")
        elif kind == b"iinf":
            _parse_items(content, meta)
        elif kind == b"iloc":
            _parse_places(content, meta)
        elif kind == b"idat":
            meta.data = content
        elif kind == b"iprp":
            _parse_properties(content, meta)
    return meta


def _parse_items(content: bytes, meta: _Meta) -> None:
    start = _FULL + (4 if content[0] else 2)
    for kind, entry in _boxes(content[start:]):
        if kind != b"infe" or entry[0] < 2:
            continue
        wide = entry[0] >= 3
        item = int.from_bytes(entry[4 : 8 if wide else 6], "big")
        at = 10 if wide else 8
        meta.kinds[item] = (entry[at : at + 4], entry[at + 4 : at + 204])
        if len(meta.kinds) >= _ITEMS:
            return


def _parse_places(content: bytes, meta: _Meta) -> None:
    version = content[0]
    offset_size, length_size = content[4] >> 4, content[4] & 15
    base_size, index_size = content[5] >> 4, (content[5] & 15 if version else 0)
    reader = _Reader(content, 6)
    for _ in range(min(reader.take(4 if version == 2 else 2), _ITEMS)):
        item = reader.take(4 if version == 2 else 2)
        if version and reader.take(2) & 15 == 1:
            meta.inside.add(item)
        reader.take(2)
        base = reader.take(base_size)
        places = []
        for _ in range(min(reader.take(2), _ITEMS)):
            reader.take(index_size)
            places.append((base + reader.take(offset_size), reader.take(length_size)))
        meta.places[item] = places


class _Reader:
    """Takes numbers of any width from bytes, one after the other. Raises IndexError at the end."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def take(self, size: int) -> int:
        """Return the next `size` bytes as a number; 0 for none."""
        if self._at + size > len(self._data):
            raise IndexError
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "big")


def _parse_properties(content: bytes, meta: _Meta) -> None:
    for kind, part in _boxes(content):
        if kind == b"ipco":
            meta.properties = list(_boxes(part))
        elif kind == b"ipma":
            reader = _Reader(part, 4)
            wide = part[3] & 1
            for _ in range(min(reader.take(4), _ITEMS)):
                item = reader.take(4 if part[0] else 2)
                mask = 0x7FFF if wide else 0x7F
                meta.owned[item] = [reader.take(2 if wide else 1) & mask for _ in range(reader.take(1))]


def _describe(meta: _Meta, facts: HeifFacts) -> None:
    owned = meta.owned.get(meta.primary, [])
    own = [meta.properties[number - 1] for number in owned if 0 < number <= len(meta.properties)]
    if not any(kind == b"ispe" for kind, _ in own):  # no table of what belongs to which: take the largest
        own = sorted((one for one in meta.properties if one[0] == b"ispe"), key=lambda one: one[1][4:12])[-1:]
    for kind, content in own:
        if kind == b"ispe":
            facts.width, facts.height = struct.unpack(">II", content[4:12])
        elif kind == b"irot":
            facts.turns = content[0] & 3
        elif kind == b"pixi" and content[4]:
            facts.bit_depth = content[5]
    codecs = {b"hvc1": "hevc", b"av01": "av1", b"avc1": "h264", b"jpeg": "mjpeg"}
    shown = [kind for kind, _ in meta.kinds.values() if kind in codecs]
    facts.codec = codecs[shown[0]] if shown else ""
    facts.pictures = sum(1 for item, (kind, _) in meta.kinds.items() if kind == b"grid" or item == meta.primary)


def _content(file: BinaryIO, meta: _Meta, item: int) -> bytes:
    parts, left = [], _BLOCK_BYTES
    for offset, length in meta.places.get(item, []):
        if item in meta.inside:
            parts.append(meta.data[offset : offset + min(length, left)])
        else:
            file.seek(offset)
            parts.append(file.read(min(length, left)))
        left -= len(parts[-1])
        if left <= 0:
            break
    return b"".join(parts)


def _exif_block(content: bytes) -> bytes:
    """Return the TIFF structure behind the offset that an Exif item begins with."""
    if len(content) < 8:
        return b""
    return content[4 + int.from_bytes(content[:4], "big") :]
