"""One compressed stream: a TAR archive in it is listed, any other file in it is read as what it is."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.document import Child, Metadata, Piece
from files.extraction.document import Warning as PieceWarning
from files.extraction.encoding import decode
from files.extraction.errors import MalformedFile, TimeLimit, UnsafeArchive
from files.extraction.formats.archives.archive_listing import Entry, iso_time
from files.extraction.formats.archives.archives import Archive, Member, read_archive
from files.extraction.formats.archives.decompression import STREAMS, unpacked
from files.extraction.formats.archives.tar_headers import RECORD, BlockFeed, Tar, is_header
from files.extraction.limits import Limits

_SHARE_OF_TIME = 0.6  # of the processor's time that a reading has
_LISTED_TIMES = 16  # a TAR is listed without keeping anything, so it may unpack to more than what is kept
_TAR_ENDING = re.compile(r"(?i)\.(?:tgz|taz|tbz2?|tb2|txz|tlz|tzst)$|\.tar\.[a-z0-9]+$")
_ENDING = re.compile(r"(?i)\.(?:gz|gzip|z|bz2|bz|xz|lzma|zst|zstd)$")
_FORMATS = {
    "application/gzip": "gzip",
    "application/x-bzip2": "bzip2",
    "application/x-xz": "xz",
    "application/x-lzma": "lzma",
    "application/zstd": "Zstandard",
}


class CompressedExtractor(Extractor):
    """Reads gzip, bzip2, xz and Zstandard files."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the listing of a TAR, or the text of the one file inside, as far as the budget goes."""
        if _holds_tar(source, limits):
            yield from read_archive(_CompressedTar(source, limits), source, limits)
        else:
            yield from _single_file(source, limits)


def _allowed(source: Source, limits: Limits, times: int = 1) -> int:
    packed = source.path.stat().st_size
    return min(limits.unpacked_bytes * times, max(limits.unpacked_floor, packed * limits.unpacked_ratio))


@contextmanager
def _opened(source: Source, allowed: int, limits: Limits) -> Iterator[Iterator[bytes]]:
    with source.path.open("rb") as file:
        yield _within_ratio(unpacked(file, STREAMS[source.media_type], allowed), file, limits)


def _within_ratio(blocks: Iterator[bytes], file: IO[bytes], limits: Limits) -> Iterator[bytes]:
    """Yield `blocks` while they are not far more than what was read of `file` for them, and while there is time.

    Raises UnsafeArchive; TimeLimit while there still is time to tell what was found.
    """
    total = 0
    for block in blocks:
        if time.process_time() > limits.cpu_seconds * _SHARE_OF_TIME:
            raise TimeLimit
        total += len(block)
        if total > max(limits.unpacked_floor, file.tell() * limits.unpacked_ratio):
            raise UnsafeArchive
        yield block


def _holds_tar(source: Source, limits: Limits) -> bool:
    with _opened(source, limits.unpacked_bytes, limits) as blocks:
        first = next(blocks, b"")
        while 0 < len(first) < RECORD and (more := next(blocks, b"")):
            first += more
    if is_header(first[:RECORD]):
        return True
    return bool(_TAR_ENDING.search(source.name)) and len(first) >= RECORD and not first[:RECORD].strip(b"\x00")


class _CompressedTar(Archive):
    def __init__(self, source: Source, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._allowed = _allowed(source, limits, _LISTED_TIMES)
        self.format = f"TAR, {_FORMATS[source.media_type]}"

    def entries(self) -> Iterator[Entry]:
        with _opened(self._source, self._allowed, self._limits) as blocks:
            yield from Tar(BlockFeed(blocks, self._allowed)).entries()

    def members(self) -> Iterator[Member]:
        with _opened(self._source, self._allowed, self._limits) as blocks:
            tar = Tar(BlockFeed(blocks, self._allowed))
            for entry in tar.entries():
                yield entry, tar.content_of(entry)


@dataclass(slots=True)
class _Progress:
    """How the unpacking of the one file went, which its Child cannot tell."""

    size: int = 0
    is_cut: bool = False
    failure: ExtractionError | None = None


def _single_file(source: Source, limits: Limits) -> Iterator[Piece]:
    stored, modified = _gzip_header(source)
    progress = _Progress()
    yield Child(stored or _inner_name(source.name), _chunks(source, limits, progress))
    if isinstance(progress.failure, UnsafeArchive):
        raise progress.failure
    if progress.is_cut:
        yield PieceWarning("limit_reached", f"Only the first {progress.size} bytes of what is inside were read.")
    elif progress.failure:
        yield PieceWarning(progress.failure.code, progress.failure.message)
    packed = source.path.stat().st_size
    yield Metadata(
        {
            "archive_format": _FORMATS[source.media_type],
            "entry_count": 1,
            "total_size": progress.size,
            "packed_size": packed,
            "ratio": round(progress.size / packed, 2),
            **({"newest": modified} if modified else {}),
        }
    )


def _chunks(source: Source, limits: Limits, progress: _Progress) -> Iterator[bytes]:
    """Yield the content; a damaged end or the limit of what is kept ends it, and what came before is read."""
    try:
        with _opened(source, _allowed(source, limits), limits) as blocks:
            for block in blocks:
                if progress.size + len(block) > limits.child_bytes:
                    progress.is_cut = True
                    return
                progress.size += len(block)
                yield block
    except MalformedFile as error:
        if not progress.size:
            raise
        progress.failure = error
    except UnsafeArchive as error:
        progress.failure = error
        raise


def _inner_name(name: str) -> str:
    """Return the name without the ending that the compression added."""
    shorter = _ENDING.sub("", PurePosixPath(name.replace("\\", "/")).name)
    return shorter or "content"


def _gzip_header(source: Source) -> tuple[str, str]:
    """Return the name, without any folder, and the time that a gzip header may tell."""
    if source.media_type != "application/gzip":
        return "", ""
    with source.path.open("rb") as file:
        head = file.read(2048)
    if len(head) < 10:
        return "", ""
    flags, seconds = struct.unpack_from("<xxxBI", head)
    at = 10
    if flags & 4 and len(head) >= 12:
        at += 2 + int.from_bytes(head[10:12], "little")
    end = head.find(b"\x00", at)
    if not flags & 8 or end < 0:
        return "", iso_time(seconds)
    return PurePosixPath(decode(head[at:end])[0].replace("\\", "/")).name, iso_time(seconds)
