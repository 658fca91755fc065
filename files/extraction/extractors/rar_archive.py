"""RAR archives: listed; of the members, those that are stored as they are can be read."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import IO

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece
from files.extraction.errors import UnsupportedFormat
from files.extraction.formats.archives.archive_listing import Entry, EntryKind
from files.extraction.formats.archives.archives import Archive, Member, read_archive
from files.extraction.formats.archives.decompression import stored_part
from files.extraction.formats.archives.rar_headers import RarEntry, rar_entries
from files.extraction.limits import Limits


class RarExtractor(Extractor):
    """Lists a RAR archive of version 4 or 5 from its headers."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the listing, the findings and, where asked, the members. Raises EncryptedFile for hidden names."""
        with source.path.open("rb") as file:
            yield from read_archive(_Rar(file), source, limits)


class _Rar(Archive):
    format = "RAR"

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._split = False

    def entries(self) -> Iterator[Entry]:
        for found in rar_entries(self._file):
            self._split = self._split or found.is_split
            yield _entry(found)

    def members(self) -> Iterator[Member]:
        for found in rar_entries(self._file):
            yield _entry(found), self._content(found)

    def facts(self) -> dict[str, object]:
        return {"is_multi_volume": True} if self._split else {}

    def _content(self, found: RarEntry) -> Iterator[bytes]:
        if not found.stored or found.is_split or found.encrypted:
            raise UnsupportedFormat("Packed files in a RAR archive cannot be read, only listed.")
        yield from stored_part(self._file, found.start, min(found.packed, found.size))


def _entry(found: RarEntry) -> Entry:
    kind = EntryKind.FOLDER if found.is_folder else EntryKind.FILE
    if found.is_hardlink:
        kind = EntryKind.HARDLINK
    elif found.target or stat.S_IFMT(found.mode) == stat.S_IFLNK:
        kind = EntryKind.SYMLINK
    elif stat.S_IFMT(found.mode) in (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO):
        kind = EntryKind.SPECIAL
    return Entry(found.name, found.size, found.packed, found.modified, kind, found.target, found.encrypted)
