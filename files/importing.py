"""Documents of a source as files of the connection's owner: new ones added, changed ones exchanged, gone ones trashed.

What comes before: `integrations.services.source`, which lists and reads documents; what comes after: the same engine as
for every upload (`files.uploads`), with its quota, its limits and its duplicates. Every document's outcome is committed
by itself, so a run that dies goes on where it stopped: the next one lists anew and skips what has the same version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import BinaryIO
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import QuerySet

from files import import_runs, states, trash, uploads
from files.errors import (
    ConnectionOff,
    DiskFull,
    FileNotFound,
    FileTooLarge,
    ImportFull,
    ImportLost,
    ImportNameInvalid,
    QuotaExceeded,
    TooManyUploads,
)
from files.hints import publish_import
from files.import_runs import Ending, Entry
from files.models import FileRecord, ImportAction, ImportedItem, ImportRun, ImportState, Upload
from files.quota import require_quota
from files.storage.scratch import scratch_file
from files.uploads import NewUpload
from integrations import services as integrations
from integrations.errors import NotASource
from integrations.sources.base import (
    Source,
    SourceItem,
    SourceItemGone,
    SourceKeyRefused,
    SourceTooSlow,
    SourceUnavailable,
    SourceUnknown,
)
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from orchestra.monitoring import pulses

logger = structlog.get_logger(__name__)

# Of one run. What is left over is the next one's, which beat begins within a minute.
SECONDS = 300.0
LISTING_SECONDS = 1_800.0  # of listing alone: what is unchanged must be looked at before it can be known what is gone
MOST_BYTES = 20 * 1024**3
_BATCH = 200
_MOST_POSTPONED = 1_000
_BEAT_SECONDS = 10.0
_MOST_FAILURES_IN_A_ROW = 5
_LONGEST_KEY = 1_100  # bytes, which an index of PostgreSQL holds
# Not the document's fault: its version is not kept, so that the next run tries again.
_AGAIN = (QuotaExceeded, TooManyUploads, DiskFull, ImportFull, SourceKeyRefused, SourceUnknown)


def run(integration_id: UUID, *, node: str = "") -> None:
    """Import what a connection's source has, unless another run does, until it is done or the run's time is up.

    `node` is the worker that does it; while all of its processes are at work, no task of its own shows that it lives.
    """
    current = import_runs.begin(integration_id)
    if current is None:
        return
    ending = Ending.failed(OrchestraError())
    try:
        ending = _imported(current, node)
    finally:
        import_runs.end(current, ending)
        told = {"integration_id": str(integration_id), "run_id": str(current.pk), "state": ending.state}
        logger.info("import ended", code=ending.code, **told)


def _imported(current: ImportRun, node: str) -> Ending:
    try:
        owner, source = current.integration.owner, integrations.source(current.integration)
        if owner is None:
            raise NotASource
        whole = _Import(current, owner, source, node).go()
    except OrchestraError as exc:
        return Ending.failed(exc)
    return Ending(ImportState.DONE if whole else ImportState.CUT)


@dataclass(frozen=True, slots=True)
class _Content:
    """What was read of a document: bytes in a scratch file, their digest, and the documents inside it."""

    size: int
    sha256: str
    parts: tuple[SourceItem, ...]


class _Import:
    """One run under way."""

    def __init__(self, current: ImportRun, owner: User, source: Source, node: str) -> None:
        self._run, self._owner, self._source, self._node = current, owner, source, node
        self._mark = f"import {current.integration_id}"
        self._until = monotonic() + SECONDS
        self._beat_at = 0.0
        self._bytes = 0
        self._failures = 0
        self._postponed: list[SourceItem] = []

    def go(self) -> bool:
        """Import; return whether everything was looked at. Raises SourceUnavailable or what is below it, ImportLost."""
        for batch in self._batches():
            import_runs.count(self._run, listed=len(batch))
            if not self._bring_all(self._without_postponed(self._without_unchanged(batch))):
                return False
        return self._bring_all(self._postponed) and self._drop_vanished()

    def _bring_all(self, items: Iterable[SourceItem]) -> bool:
        """Import documents; return whether the time was enough."""
        for item in items:
            if self._is_over():
                return False
            self._bring(item)
        return True

    def _without_postponed(self, items: list[SourceItem]) -> list[SourceItem]:
        """Put off what failed before: one that fails slowly would else keep all behind it from ever being looked at."""
        before = self._items().filter(key__in=[item.key for item in items]).exclude(error_code="")
        failed = set(before.values_list("key", flat=True)[: _MOST_POSTPONED - len(self._postponed)])
        self._postponed += [item for item in items if item.key in failed]
        return [item for item in items if item.key not in failed]

    def _batches(self) -> Iterator[list[SourceItem]]:
        """Yield what the source lists. Raises SourceTooSlow where that alone takes too long, and as the source does."""
        items, spent = self._source.items(), 0.0
        while spent < LISTING_SECONDS:
            self._extend()
            began = monotonic()
            batch = list(islice(items, _BATCH))
            spent += monotonic() - began
            if not batch:
                return
            yield batch
        raise SourceTooSlow

    def _is_over(self) -> bool:
        return monotonic() > self._until or self._bytes > MOST_BYTES

    def _beat(self) -> None:
        if monotonic() > self._beat_at:
            self._extend()

    def _extend(self) -> None:
        """Extend the lease, and with it the time that the source has for its next sign of life."""
        import_runs.beat(self._run)
        pulses.keep(self._node)
        self._source.patience.renew()
        self._beat_at = monotonic() + _BEAT_SECONDS

    def _items(self) -> QuerySet[ImportedItem]:
        return ImportedItem.objects.filter(integration=self._run.integration_id)

    def _without_unchanged(self, batch: Iterable[SourceItem], parent: str = "") -> list[SourceItem]:
        """Mark what has the version that was imported as seen, with its parts; return the rest, each once."""
        items = {item.key: item for item in batch if self._is_storable(item)}
        known = dict(self._items().filter(key__in=items, parent=parent).values_list("key", "version"))
        same = {key for key, item in items.items() if item.version and known.get(key) == item.version}
        self._items().filter(key__in=same).update(seen=self._run)
        self._items().filter(parent__in=same).exclude(parent="").update(seen=self._run)
        import_runs.count(self._run, unchanged=len(same))
        return [item for key, item in items.items() if key not in same]

    def _is_storable(self, item: SourceItem) -> bool:
        texts = (item.key, item.version, item.name, item.origin)
        storable = bool(item.key) and len(item.version) <= 200 and len(item.origin) <= 4_000
        storable = storable and item.origin.startswith(("https://", "http://"))  # pages make a link of it
        if storable and not any(map(_is_odd, texts)) and len(item.key.encode()) <= _LONGEST_KEY:
            return True
        import_runs.note(self._run, Entry(ImportAction.FAILED, _ascii(item.name), error=ImportNameInvalid()))
        return False

    def _bring(self, item: SourceItem, parent: str = "") -> bool:
        """Import a document that is new or changed; return whether that need not be tried again."""
        self._beat()
        try:
            with scratch_file() as scratch:
                content = self._read(item, scratch)
                settled = self._bring_parts(item, content.parts) if not parent else True
                self._store(item, parent, content, scratch, settled=settled)
        except (ImportLost, ConnectionOff):
            raise
        except SourceItemGone:
            return True  # it was deleted just now: the end of this run, or the next one, sees it
        except OrchestraError as exc:
            return self._note_failure(item, parent, exc)
        self._failures = 0
        return settled

    def _bring_parts(self, item: SourceItem, parts: tuple[SourceItem, ...]) -> bool:
        """Import the documents inside one, before it: its own version must not be kept while one of them is missing."""
        brought = [self._bring(part, item.key) for part in self._without_unchanged(parts, item.key)]
        return all(brought)

    def _read(self, item: SourceItem, scratch: BinaryIO) -> _Content:
        """Copy a document into a scratch file. Raises FileTooLarge, QuotaExceeded, DiskFull, and as the source does."""
        self._require_room(item.size or 0)
        digest, size = hashlib.sha256(), 0
        with item.opens() as reading:
            for piece in reading.pieces:
                size += len(piece)
                self._bytes += len(piece)
                self._require_size(size)
                digest.update(piece)
                scratch.write(piece)
                self._beat()
            parts = reading.parts
        import_runs.count(self._run, bytes=size)
        scratch.seek(0)
        return _Content(size, digest.hexdigest(), parts)

    def _require_room(self, size: int) -> None:
        self._require_size(size)
        require_quota(self._owner, size)

    def _require_size(self, size: int) -> None:
        if size > settings.MAX_FILE_SIZE:
            raise FileTooLarge(limit=settings.MAX_FILE_SIZE)
        if self._bytes > MOST_BYTES + settings.MAX_FILE_SIZE:
            raise ImportFull

    def _store(self, item: SourceItem, parent: str, content: _Content, scratch: BinaryIO, *, settled: bool) -> None:
        """Store the bytes as every upload's, then exchange the file in one transaction."""
        sha256 = content.sha256 if content.size else ""  # as every client does for an empty file
        new = NewUpload(item.name, content.size, sha256, client_metadata=self._mark)
        state = uploads.receive_whole(self._owner, new, scratch)
        with import_runs.held(self._run):
            row = self._items().select_for_update().filter(key=item.key).first()
            row = row or ImportedItem(integration_id=self._run.integration_id, key=item.key)
            before, was_made = row.file_id, row.made
            row.parent, row.version, row.origin = parent, item.version if settled else "", item.origin
            row.file, row.seen = state.file, self._run
            row.error_code = row.error_message = ""
            if before != state.file.pk:
                row.made = self._made(state.file)
            row.save()
            if before is not None and before != state.file.pk and was_made:
                _release(before)
            self._note_stored(row, item, before)

    def _made(self, file: FileRecord) -> bool:
        """Tell whether a file's bytes came by this connection's import, in this run or one that died behind them.

        What another document brought first stays that one's, until it goes.
        """
        made = Upload.objects.filter(pk=file.pk, client_metadata=self._mark).exists()
        return made and not ImportedItem.objects.filter(file=file, made=True).exists()

    def _note_stored(self, row: ImportedItem, item: SourceItem, before: UUID | None) -> None:
        if before == row.file_id:  # edited, and its content is what it was
            import_runs.count(self._run, unchanged=1)
            return
        action = ImportAction.ADDED if before is None else ImportAction.CHANGED
        if row.made and row.file is not None:
            _set_origin(row.file.pk, row.origin)
            row.file.refresh_from_db()
            states.record_event(row.file, "imported", "It was imported by a connection.")
        else:
            action = ImportAction.DUPLICATE
        import_runs.note(self._run, Entry(action, item.name, item.origin, row.file_id))

    def _note_failure(self, item: SourceItem, parent: str, error: OrchestraError) -> bool:
        """Write down why a document could not be imported; what was imported of it before stays as it is."""
        again = error.transient or isinstance(error, _AGAIN)
        with import_runs.held(self._run):
            row = self._items().select_for_update().filter(key=item.key).first()
            row = row or ImportedItem(integration_id=self._run.integration_id, key=item.key)
            row.parent, row.version, row.origin = parent, "" if again else item.version, item.origin
            row.seen, row.error_code, row.error_message = self._run, error.code, error.message[:500]
            row.save()
            self._items().filter(parent=item.key).update(seen=self._run)
            import_runs.note(self._run, Entry(ImportAction.FAILED, item.name, item.origin, row.file_id, error))
        self._failures = self._failures + 1 if isinstance(error, SourceUnavailable) and error.transient else 0
        if self._failures >= _MOST_FAILURES_IN_A_ROW:
            raise error
        return not again

    def _drop_vanished(self) -> bool:
        """Trash the files of documents that are gone; return whether all were looked at."""
        unseen = self._items().exclude(seen=self._run)
        for key in list(unseen.filter(parent="").values_list("key", flat=True)):
            self._beat()
            if self._is_over():
                return False
            # A listing may leave something out: the document itself decides.
            if not self._source.gone(key):
                self._items().filter(key=key).update(seen=self._run)
                self._items().filter(parent=key).update(seen=self._run)
                continue
            self._drop(key)
        for key in list(unseen.exclude(parent="").values_list("key", flat=True)):
            self._beat()
            self._drop(key)
        return True

    def _drop(self, key: str) -> None:
        with import_runs.held(self._run):
            row = self._items().select_for_update().filter(key=key).first()
            if row is None:
                return
            name = row.file.name if row.file is not None else ""
            row.delete()
            if row.file_id is not None and row.made:
                _release(row.file_id)
            import_runs.note(self._run, Entry(ImportAction.DELETED, name or _ascii(key), row.origin))


def _release(file_id: UUID) -> None:
    """Trash a file whose document is gone or has other content now; one that another document has stays for that."""
    heir = ImportedItem.objects.select_for_update().filter(file=file_id).order_by("pk").first()
    if heir is not None:
        ImportedItem.objects.filter(pk=heir.pk).update(made=True)
        _set_origin(file_id, heir.origin)
        return
    with suppress(FileNotFound):  # its owner was faster
        trash.put(FileRecord(pk=file_id))


def _set_origin(file_id: UUID, origin: str) -> None:
    FileRecord.objects.filter(pk=file_id).update(origin=origin)
    states.touch(file_id)


def _is_odd(text: str) -> bool:
    """Tell what PostgreSQL does not store: NUL, and halves of signs."""
    return "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text)


def _ascii(text: str) -> str:
    return text[:500].encode("ascii", "replace").decode().replace("\x00", "?")


def start_due() -> None:
    """Send a task for each connection whose import is due."""
    for integration_id in import_runs.due():
        publish_import(integration_id)
