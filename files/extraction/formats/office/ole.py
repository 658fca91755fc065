"""OLE containers, opened with care: what DOC, XLS, PPT and MSG files are made of, and who wrote them when.

olefile is imported here alone. It follows no chain of sectors further than the file is long.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from files.extraction.base import Source
from files.extraction.document import Child, Metadata
from files.extraction.errors import LimitReached, MalformedFile
from files.extraction.limits import Limits

if TYPE_CHECKING:
    from olefile import OleFileIO

_SUMMARY = {
    2: "title",
    3: "subject",
    4: "author",
    5: "keywords",
    6: "description",
    8: "last_modified_by",
    9: "revision",
    12: "created",
    13: "modified",
    14: "page_count",
    15: "word_count",
    18: "application",
}
_DOCUMENT_SUMMARY = {2: "category", 7: "slide_count", 8: "note_count", 9: "hidden_slides", 14: "manager", 15: "company"}
_DATES = ("created", "modified")
_FIRST_YEAR = 1980  # an empty stamp counts from 1601
_MAC_ROMAN = 10_000
_SECTION = struct.Struct("<44xI")  # where the first section starts
_PROPERTY = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Container:
    """The streams of one OLE file. Names are matched without regard to case."""

    ole: OleFileIO
    limits: Limits
    streams: tuple[tuple[str, ...], ...]
    paths: frozenset[str]  # of streams and storages, in lower case: olefile looks names up one by one

    def has(self, name: str) -> bool:
        """Tell whether the stream or storage `name` (parts joined by `/`) is there."""
        return name.lower() in self.paths

    def names(self) -> list[tuple[str, ...]]:
        """Return the paths of all streams."""
        return list(self.streams)

    def size(self, name: str) -> int:
        """Return how long the stream `name` says it is."""
        return int(self.ole.get_size(name))

    def read(self, name: str) -> bytes:
        """Return the bytes of a stream. Raises MalformedFile; LimitReached above `Limits.child_bytes`."""
        try:
            if self.size(name) > self.limits.child_bytes:
                raise LimitReached
            return bytes(self.ole.openstream(name).read())
        except (OSError, struct.error, IndexError, ValueError, TypeError) as exc:
            raise MalformedFile from exc

    def embedded(self) -> Iterator[Child]:
        """Yield the files that were put into this one and that are whole in one stream, under their own names."""
        for path in self.names():
            if len(path) < 2:
                continue
            if path[-1] == "Package":
                yield Child(f"{path[-2]}.zip", (self.read(name) for name in ("/".join(path),)))
            elif path[-1] == "\x01Ole10Native":
                name, data = _packed(self.read("/".join(path)))
                if data:
                    yield Child(name, (data,))

    def properties(self) -> Metadata:
        """Return title, author, dates and counts as the writing program stored them."""
        values: dict[str, object] = {}
        for stream, wanted in (
            ("\x05SummaryInformation", _SUMMARY),
            ("\x05DocumentSummaryInformation", _DOCUMENT_SUMMARY),
        ):
            if self.has(stream):
                values.update(_named(_property_set(self.read(stream)), wanted))
        return Metadata(values)


@contextmanager
def open_container(source: Source, limits: Limits) -> Iterator[Container]:
    """Open `source`. Raises MalformedFile."""
    import olefile

    try:
        ole = olefile.OleFileIO(source.path)
        streams = tuple(tuple(path) for path in ole.listdir())
        storages = [tuple(path) for path in ole.listdir(streams=False, storages=True)]
    except (OSError, struct.error, IndexError, ValueError, TypeError, RecursionError) as exc:
        raise MalformedFile from exc
    with ole:
        yield Container(ole, limits, streams, frozenset("/".join(path).lower() for path in (*streams, *storages)))


def _packed(data: bytes) -> tuple[str, bytes]:
    """Return the name and the bytes of a file that Windows' packager wrapped; no bytes for other native data."""
    parts = data[6:2048].split(b"\x00", 2)
    if len(data) < 20 or data[4:6] != b"\x02\x00" or len(parts) < 3:
        return "", b""
    at = 6 + len(parts[0]) + len(parts[1]) + 2 + 4
    try:
        (size,) = struct.unpack_from("<I", data, at)
        at += 4 + size
        (size,) = struct.unpack_from("<I", data, at)
    except struct.error:
        return "", b""
    return parts[0].decode("cp1252", "replace"), data[at + 4 : at + 4 + size]


def _named(properties: dict[int, object], wanted: dict[int, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for identity, key in wanted.items():
        value = properties.get(identity)
        if isinstance(value, str) and value.strip("\x00 "):
            found[key] = value.split("\x00")[0].strip()
        elif isinstance(value, datetime.datetime) and key in _DATES and value.year >= _FIRST_YEAR:
            found[key] = value.isoformat(timespec="seconds")
        elif isinstance(value, int) and value > 0 and key not in _DATES:
            found[key] = value
    return found


def _property_set(data: bytes) -> dict[int, object]:
    """Return the values of the first section of a property set by their number; what is damaged is left out."""
    if len(data) < _SECTION.size:
        return {}
    start = _SECTION.unpack_from(data)[0]
    section = data[start:]
    if len(section) < 8:
        return {}
    count = min(_PROPERTY.unpack_from(section)[1], (len(section) - 8) // 8, 1_000)
    places = dict(_PROPERTY.unpack_from(section, 8 + at * 8) for at in range(count))
    codec = _codec(_value(section, places[1], "")) if 1 in places else "cp1252"
    return {identity: _value(section, at, codec) for identity, at in places.items()}


def _codec(code_page: object) -> str:
    number = code_page & 0xFFFF if isinstance(code_page, int) else 1252
    return code_page_codec(number)


def code_page_codec(number: int) -> str:
    """Return Python's name of a Windows code page; Windows-1252 when there is none."""
    named = {65001: "utf-8", 1200: "utf-16-le", _MAC_ROMAN: "mac_roman", 10001: "cp932", 10006: "mac_greek"}
    named |= {10007: "mac_cyrillic", 10029: "mac_latin2", 10081: "mac_turkish", 20866: "koi8_r", 21866: "koi8_u"}
    named |= {28591: "cp1252", 28592: "iso8859_2", 28595: "iso8859_5", 51932: "euc_jp", 51949: "euc_kr"}
    named |= {50220: "iso2022_jp", 54936: "gb18030", 936: "gb18030", 0: "cp1252", 1: "cp1252", 2: "cp1252"}
    if number in named:
        return named[number]
    try:
        "".encode(f"cp{number}")
    except LookupError:
        return "cp1252"
    return f"cp{number}"


def _value(section: bytes, at: int, codec: str) -> Any:
    """Return one typed value: a number, a text or a time; None for any other kind and for what is cut off."""
    try:
        (kind,) = struct.unpack_from("<H", section, at)
        if kind in (2, 3):
            return struct.unpack_from("<h" if kind == 2 else "<i", section, at + 4)[0]
        if kind == 30:
            (size,) = struct.unpack_from("<I", section, at + 4)
            return section[at + 8 : at + 8 + size].decode(codec, "replace")
        if kind == 31:
            (size,) = struct.unpack_from("<I", section, at + 4)
            return section[at + 8 : at + 8 + 2 * size].decode("utf-16-le", "replace")
        if kind == 64:
            (ticks,) = struct.unpack_from("<Q", section, at + 4)
            return datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=ticks // 10)
    except (struct.error, OverflowError):
        return None
    return None
