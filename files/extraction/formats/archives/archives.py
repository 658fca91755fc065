"""An archive as pieces: the list of what is inside, what is dangerous about it, and, where asked, the members' text.

A finding about safety is metadata, not a warning: the list is complete, so the file is not partial. Warnings say what
was not read: entries beyond the limit, the rest of a damaged archive, members that would explode.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from files.extraction.base import ExtractionError, Source
from files.extraction.document import Child, Coverage, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import TooManyEntries, as_warning
from files.extraction.formats.archives.archive_listing import Entry, EntryKind, Listing
from files.extraction.limits import Limits
from files.extraction.markdown_table import table_chunks

_HEADER = ["Path", "Size", "Modified"]

Member = tuple[Entry, Iterable[bytes]]


class Archive(ABC):
    """An opened archive of some format. Nothing is unpacked but by `members`."""

    format: str

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Yield what is inside, in the archive's order. May raise ExtractionError when the rest cannot be read."""

    @abstractmethod
    def members(self) -> Iterator[Member]:
        """Yield the same entries in the same order, each with its content; it is read before the next, or not at all.

        The content raises ExtractionError when it cannot be unpacked.
        """

    def facts(self) -> dict[str, object]:
        """Return what else is known about the archive, after `entries`."""
        return {}


def read_archive(archive: Archive, source: Source, limits: Limits) -> Iterator[Piece]:
    """Yield the listing of `archive` and, where the options ask for it, its members as children."""
    listing = Listing(limits)
    failure: ExtractionError | None = None
    try:
        listing.take(archive.entries())
    except ExtractionError as error:
        if not listing.count:
            raise
        failure = error
    yield from _listed(listing)
    facts = {"archive_format": archive.format, **listing.facts(source.path.stat().st_size), **archive.facts()}
    yield Metadata(facts)
    yield from _told(listing, failure)
    if source.options.archive_members:
        yield from _members(archive, listing, source, limits)


def _listed(listing: Listing) -> Iterator[Piece]:
    if not listing.rows:
        yield Segment("This archive is empty.", SegmentKind.NOTE)
        return
    for chunk in table_chunks((1, _HEADER), listing.rows):
        yield Segment(chunk.text, SegmentKind.TABLE, Place(row=chunk.first, row_end=chunk.last))
    yield Coverage("entries", len(listing.rows), listing.count)


def _told(listing: Listing, failure: ExtractionError | None) -> Iterator[PieceWarning]:
    if listing.is_cut:
        count = f"more than {listing.count}" if listing.stopped else str(listing.count)
        message = f"This archive has {count} entries; the first {len(listing.rows)} are listed."
        yield as_warning(TooManyEntries(message))
    if failure:
        yield as_warning(failure)
    if listing.has_bomb and not (failure and failure.code == "archive_bomb"):
        yield PieceWarning(
            "archive_bomb", "This archive unpacks to far more data than its size allows; it was listed, not unpacked."
        )


def _members(archive: Archive, listing: Listing, source: Source, limits: Limits) -> Iterator[Piece]:
    """Yield the members that are safe to read, up to the limits; say once which kinds were left out."""
    if source.depth >= limits.child_depth:
        yield PieceWarning("members_not_read", f"Archives more than {limits.child_depth} files deep are only listed.")
        return
    left, given, unsafe = limits.child_bytes, 0, 0
    for at, (entry, chunks) in enumerate(archive.members()):
        if entry.kind is not EntryKind.FILE or entry.encrypted or entry.size == 0:
            continue
        if at in listing.not_to_open:
            unsafe += 1
            continue
        left -= entry.size or 0
        if given >= limits.children or left < 0:
            yield PieceWarning("members_not_read", f"Only the first {given} files inside this archive were read.")
            break
        given += 1
        yield Child(entry.name, chunks)
    if unsafe:
        yield PieceWarning("unsafe_members", f"{unsafe} files inside this archive are unsafe and were not read.")
    if listing.encrypted:
        yield PieceWarning("encrypted", f"{listing.encrypted} files inside this archive are behind a password.")
