"""The `ar` container, and the Debian package that is one: its description, and the list of what it installs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Segment
from files.extraction.encoding import decode
from files.extraction.errors import MalformedFile
from files.extraction.formats.archives.archive_listing import Entry, iso_time
from files.extraction.formats.archives.archives import Archive, Member, read_archive
from files.extraction.formats.archives.decompression import STREAMS, Window, stored_part, unpacked
from files.extraction.formats.archives.tar_headers import BlockFeed, Tar
from files.extraction.limits import Limits

_MARK = b"!<arch>\n"
_HEADER = 60
_NAMES_BYTES = 1 << 20
_CONTROL_BYTES = 256 * 1024
_PACKINGS = {
    "gz": "application/gzip",
    "xz": "application/x-xz",
    "zst": "application/zstd",
    "bz2": "application/x-bzip2",
    "lzma": "application/x-lzma",
}
_FIELDS = {"Package": "title", "Maintainer": "author", "Description": "description", "Version": "version"}


class ArExtractor(Extractor):
    """Lists an `ar` archive; of a Debian package, what lies in its two inner archives."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the description of a package, the listing and the findings."""
        with source.path.open("rb") as file:
            parts = {part.name: part for part in _first_parts(file)}
            control = next((part for name, part in parts.items() if name.startswith("control.tar")), None)
            data = next((part for name, part in parts.items() if name.startswith("data.tar")), None)
            if "debian-binary" in parts and control and data:
                yield from _description(file, control, limits)
                yield from read_archive(_Package(file, data, limits), source, limits)
            else:
                yield from read_archive(_Ar(file), source, limits)


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    start: int
    size: int
    modified: str


def _parts(file: IO[bytes]) -> Iterator[_Part]:
    """Yield the parts, names resolved. Raises MalformedFile where the file is damaged."""
    total, at, long_names = file.seek(0, 2), len(_MARK), b""
    while at + 1 < total:
        file.seek(at)
        head = file.read(_HEADER)
        size = head[48:58].strip()
        if len(head) < _HEADER or head[58:] != b"`\n" or not size.isdigit():
            raise MalformedFile
        start, length = at + _HEADER, int(size)
        if start + length > total:
            raise MalformedFile("This archive ends too early: what comes after its last entry is missing.")
        at = start + length + length % 2
        raw = head[:16].rstrip()
        if raw == b"//":
            long_names = file.read(min(length, _NAMES_BYTES))
        elif raw not in (b"/", b"__.SYMDEF", b"/SYM64/"):
            if raw.startswith(b"#1/") and raw[3:].isdigit():  # BSD: the name stands before the content
                name_length = min(int(raw[3:]), length, 4096)
                raw = file.read(name_length).rstrip(b"\x00")
                start, length = start + name_length, length - name_length
            elif raw[:1] == b"/" and raw[1:].isdigit():
                raw = long_names[int(raw[1:]) :].partition(b"\n")[0]
            seconds = head[16:28].strip()
            modified = iso_time(int(seconds)) if seconds.isdigit() else ""
            yield _Part(decode(raw.removesuffix(b"/"))[0], start, length, modified)


def _first_parts(file: IO[bytes]) -> list[_Part]:
    """Return the first parts, which are all of a Debian package."""
    found: list[_Part] = []
    try:
        for part in _parts(file):
            found.append(part)
            if len(found) == 8:
                break
    except MalformedFile:
        pass  # told when the parts are listed
    return found


class _Ar(Archive):
    format = "ar"

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def entries(self) -> Iterator[Entry]:
        for part in _parts(self._file):
            yield Entry(part.name, part.size, part.size, part.modified)

    def members(self) -> Iterator[Member]:
        for part in _parts(self._file):
            entry = Entry(part.name, part.size, part.size, part.modified)
            yield entry, stored_part(self._file, part.start, part.size)


class _Package(Archive):
    format = "Debian package"

    def __init__(self, file: IO[bytes], data: _Part, limits: Limits) -> None:
        self._file = file
        self._data = data
        self._limits = limits

    def entries(self) -> Iterator[Entry]:
        yield from _tar(self._file, self._data, self._limits).entries()

    def members(self) -> Iterator[Member]:
        tar = _tar(self._file, self._data, self._limits)
        for entry in tar.entries():
            yield entry, tar.content_of(entry)


def _tar(file: IO[bytes], part: _Part, limits: Limits) -> Tar:
    allowed = limits.unpacked_for(part.size)
    window = Window(file, part.start, part.size)
    packing = _PACKINGS.get(part.name.rpartition(".")[2])
    if packing is None:
        return Tar(BlockFeed(stored_part(file, part.start, part.size), part.size))
    return Tar(BlockFeed(unpacked(window, STREAMS[packing], allowed), allowed))


def _description(file: IO[bytes], control: _Part, limits: Limits) -> Iterator[Piece]:
    tar = _tar(file, control, limits)
    for entry in tar.entries():
        if entry.name.removeprefix("./") == "control" and (entry.size or 0) <= _CONTROL_BYTES:
            text = decode(b"".join(tar.content_of(entry)))[0]
            yield Segment(text)
            fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and line[:1].strip())
            yield Metadata({key: fields[name] for name, key in _FIELDS.items() if name in fields})
            return
