"""7-Zip archives."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import IO

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.document import Piece
from files.extraction.errors import LimitReached, MalformedFile
from files.extraction.formats.archives.archive_listing import Entry, EntryKind
from files.extraction.formats.archives.archives import Archive, Member, read_archive
from files.extraction.formats.archives.seven_zip import Folder, SevenZip, SevenZipFile, read_headers, unpacked_folder
from files.extraction.formats.archives.tar_headers import BlockFeed
from files.extraction.limits import Limits


class SevenZipExtractor(Extractor):
    """Lists a 7-Zip archive from its header."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the listing, the findings and, where asked, the members. Raises EncryptedFile for hidden names."""
        with source.path.open("rb") as file:
            yield from read_archive(_SevenZip(file, read_headers(file), limits), source, limits)


class _SevenZip(Archive):
    format = "7-Zip"

    def __init__(self, file: IO[bytes], headers: SevenZip, limits: Limits) -> None:
        self._file = file
        self._headers = headers
        self._limits = limits
        self._folder: Folder | None = None
        self._feed: BlockFeed | None = None
        self._failure: ExtractionError | None = None
        self._skipped = self._read = 0

    def entries(self) -> Iterator[Entry]:
        yield from map(_entry, self._headers.files)

    def members(self) -> Iterator[Member]:
        for file in self._headers.files:
            if file.folder is not self._folder:
                self._folder, self._feed, self._failure, self._skipped = file.folder, None, None, 0
            yield _entry(file), self._content(file)
            if file.folder is not None:
                self._skipped += file.size

    def facts(self) -> dict[str, object]:
        return {"solid": any(len(folder.files) > 1 for folder in self._headers.folders)}

    def _content(self, file: SevenZipFile) -> Iterator[bytes]:
        """Yield a file's bytes. A folder is unpacked once, from its start: what is not asked for is passed over."""
        if file.folder is None:
            return
        if self._failure:
            raise self._failure  # the folder cannot be unpacked, so nothing in it can
        try:
            yield from self._part(file, file.folder)
        except ExtractionError as error:
            self._failure = error
            raise

    def _part(self, file: SevenZipFile, folder: Folder) -> Iterator[bytes]:
        if folder.size > self._limits.unpacked_for(folder.packed):
            raise LimitReached("This part of the archive is too large to be unpacked.")
        if self._feed is None:
            self._feed = BlockFeed(unpacked_folder(self._file, folder), self._limits.unpacked_bytes)
            self._read = 0
        self._feed.skip(self._skipped - self._read)
        self._read = self._skipped + file.size
        left = file.size
        while left:
            block = self._feed.read(min(left, 1 << 20))
            if not block:
                raise MalformedFile
            left -= len(block)
            yield block


def _entry(file: SevenZipFile) -> Entry:
    kind = EntryKind.FOLDER if file.is_folder else EntryKind.FILE
    if stat.S_IFMT(file.unix_mode) == stat.S_IFLNK:
        kind = EntryKind.SYMLINK
    folder = file.folder
    return Entry(
        file.name,
        file.size,
        None if folder is None else folder.packed if len(folder.files) == 1 else None,
        file.modified,
        kind,
        encrypted=folder is not None and folder.encrypted,
        suspect=_suspect(folder),
    )


def _suspect(folder: Folder | None) -> tuple[str, ...]:
    if folder is not None and len(folder.files) > 1 and folder.size > max(64 << 20, folder.packed * 200):
        return ("archive_bomb",)
    return ()
