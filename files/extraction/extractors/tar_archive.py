"""TAR archives as they are; compressed ones are unpacked by `compressed` first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece
from files.extraction.formats.archives.archive_listing import Entry
from files.extraction.formats.archives.archives import Archive, Member, read_archive
from files.extraction.formats.archives.tar_headers import FileFeed, Tar
from files.extraction.limits import Limits


class TarExtractor(Extractor):
    """Lists a TAR archive; skips from header to header."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the listing, the findings and, where asked, the members."""
        yield from read_archive(_TarFile(source.path), source, limits)


class _TarFile(Archive):
    format = "TAR"

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> Iterator[Entry]:
        with self._path.open("rb") as file:
            yield from Tar(FileFeed(file)).entries()

    def members(self) -> Iterator[Member]:
        with self._path.open("rb") as file:
            tar = Tar(FileFeed(file))
            for entry in tar.entries():
                yield entry, tar.content_of(entry)
