"""The chunk engine: bytes come in any order, are durable before they are acknowledged, and become a file at the end.

The chunk API is one face of it (`files.api`), tus another (`files.tus`, by way of `files.appending`), the command line
a third (`manage.py ingest`). What comes before: nothing; what comes after: `files.jobs.enqueue`, in the same
transaction that turns the upload into a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import BinaryIO, Protocol
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.utils import timezone

from files import jobs, states, storage, trash
from files.errors import (
    ChunkChecksumMismatch,
    ChunkConflict,
    ChunkIncomplete,
    DiskFull,
    FileNotFound,
    FileTooLarge,
    InvalidContentRange,
    InvalidMove,
    InvalidUpload,
    UploadByOffset,
    UploadChecksumMismatch,
    UploadExpired,
)
from files.events import publish_deletion
from files.extraction.detection import detect
from files.models import FileEvent, FileRecord, FileStatus, Upload, UploadChunk
from files.names import clean_name, clean_tags
from files.quota import require_number, require_quota
from files.storage import Whole
from files.storage.scratch import scratch_file
from orchestra.accounts.models import User
from orchestra.common import failpoints

_PIECE = 1024 * 1024
_FROM_TRASH = "The same content was uploaded again; the file came back from the trash."


class ByteStream(Protocol):
    """Anything bytes can be read from piece by piece: a request, an open file."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; empty at the end."""


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What a client declares before it sends bytes. `sha256` is hex, or empty when not known yet.

    `by_offset` opens an upload that `files.appending` fills; `client_metadata` is kept for the client, unread.
    """

    name: str
    size: int
    sha256: str = ""
    chunk_size: int = 0
    tags: tuple[str, ...] = ()
    by_offset: bool = False
    client_metadata: str = ""


@dataclass(frozen=True, slots=True)
class ChunkRange:
    """The bytes START-END/SIZE of Content-Range; `end` is inclusive, as in HTTP."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        """Number of bytes in the range."""
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True)
class UploadState:
    """An upload as it stands: `received` lists half-open byte ranges that are durable.

    `duplicate`: the owner had this content already. `restored`: it was in the trash, and this call took it out.
    """

    upload: Upload
    file: FileRecord
    received: tuple[tuple[int, int], ...]
    duplicate: bool = False
    restored: bool = False

    @property
    def complete(self) -> bool:
        """Whether every byte is here and verified."""
        return self.upload.completed_at is not None

    @property
    def received_bytes(self) -> int:
        """Number of durable bytes."""
        return sum(end - start for start, end in self.received)


def initiate(owner: User, new: NewUpload) -> UploadState:
    """Open an upload, reserving its size against quota and disk.

    Content that the owner has already (by `sha256`) is answered with the existing file; an unfinished upload of the
    same content is continued. Raises FileTooLarge, QuotaExceeded, TooManyUploads,
    DiskFull or InvalidUpload before any byte is sent.
    """
    chunk_size = _checked_chunk_size(new)
    with transaction.atomic():
        # One at a time per owner, so that two uploads cannot both take the last free bytes.
        User.objects.select_for_update().get(pk=owner.pk)
        if known := _known(owner, new):
            return known
        _require_room(owner, new.size)
        failpoints.reach("upload.opening")
        state = _open_upload(owner, new, chunk_size)
    failpoints.reach("upload.opened")
    return complete(state.upload.pk) if new.size == 0 else state


def _checked_chunk_size(new: NewUpload) -> int:
    if new.size < 0:
        raise InvalidUpload("A file cannot have a negative size.")
    if new.size > settings.MAX_FILE_SIZE:
        raise FileTooLarge(
            f"This file has {new.size} bytes; this server accepts up to {settings.MAX_FILE_SIZE}.",
            limit=settings.MAX_FILE_SIZE,
        )
    if new.sha256 and (len(new.sha256) != 64 or set(new.sha256) - set("0123456789abcdef")):
        raise InvalidUpload("sha256 must be 64 lower-case hexadecimal digits.")
    low, high = settings.UPLOAD_CHUNK_SIZE_RANGE
    if new.chunk_size and not low <= new.chunk_size <= high:
        raise InvalidUpload(f"chunk_size must be between {low} and {high} bytes.")
    return new.chunk_size or settings.UPLOAD_CHUNK_SIZE


def _known(owner: User, new: NewUpload) -> UploadState | None:
    if not new.sha256:
        return None
    if file := FileRecord.objects.filter(owner=owner, sha256=new.sha256).first():
        restored = file.trashed_at is not None
        if restored:
            file = trash.restore(file, _FROM_TRASH)
        _read_again_if_failed(file)
        return UploadState(finished(file), file, _whole(file.size), duplicate=True, restored=restored)
    unfinished = Upload.objects.filter(
        owner=owner,
        declared_sha256=new.sha256,
        size=new.size,
        by_offset=new.by_offset,
        completed_at=None,
        expires_at__gt=Now(),
    ).first()
    return state_of(unfinished) if unfinished else None


def finished(file: FileRecord) -> Upload:
    """Return an upload, in no table, as it was when the file's bytes had come. Raises FileNotFound before that."""
    if not file.sha256:
        raise FileNotFound
    upload = Upload(id=file.pk, owner=file.owner, file=file, size=file.size, received=file.size, by_offset=True)
    upload.chunk_size = settings.UPLOAD_CHUNK_SIZE
    upload.completed_at = upload.expires_at = file.created_at
    return upload


def _require_room(owner: User, size: int) -> None:
    require_quota(owner, size)
    require_number(owner)
    # What has been received of them is on the disk already, and no longer free.
    unfinished = Upload.objects.filter(completed_at=None)
    reserved = unfinished.aggregate(total=Sum(F("size") - F("received")))["total"] or 0
    free = storage.chosen().free_bytes()
    if free is not None and reserved + size > free:
        raise DiskFull(needed=size)


def _open_upload(owner: User, new: NewUpload, chunk_size: int) -> UploadState:
    file = FileRecord.objects.create(
        owner=owner,
        name=clean_name(new.name),
        size=new.size,
        storage=settings.FILE_STORAGE,
        tags=clean_tags(new.tags),
    )
    upload = Upload.objects.create(
        id=file.pk,
        owner=owner,
        file=file,
        declared_sha256=new.sha256,
        size=new.size,
        chunk_size=chunk_size,
        by_offset=new.by_offset,
        client_metadata=new.client_metadata,
        expires_at=_expiry(),
    )
    upload.refresh_from_db(fields=["expires_at"])
    states.record_event(file, "upload_started", "The upload began.", size=new.size)
    return UploadState(upload, file, ())


def _expiry() -> CombinedExpression:
    """An unfinished upload lives this long from the last byte that it got, on the database's clock."""
    return Now() + timedelta(hours=settings.UPLOAD_EXPIRY_HOURS)


def find(owner: User, upload_id: UUID) -> Upload:
    """Return the owner's upload. Raises FileNotFound, or UploadExpired when it was not finished in time."""
    upload = Upload.objects.select_related("file").filter(pk=upload_id, owner=owner, file__trashed_at=None).first()
    if upload is None:
        raise FileNotFound
    if Upload.objects.filter(abandoned(), pk=upload_id).exists():
        raise UploadExpired
    return upload


def abandoned() -> Q:
    """Match uploads past their time. One with every byte is none of them: its bytes were all acknowledged."""
    return Q(completed_at=None, expires_at__lt=Now()) & ~Q(received=F("size"))


def locked(upload_id: UUID) -> Upload:
    """Return an upload that nobody else changes until the transaction ends. Raises FileNotFound, UploadExpired."""
    upload = Upload.objects.select_for_update().filter(pk=upload_id).first()
    if upload is None:
        raise FileNotFound
    if Upload.objects.filter(abandoned(), pk=upload_id).exists():
        raise UploadExpired
    return upload


def unfinished(file: FileRecord) -> UploadState | None:
    """Return what has been received of a file whose bytes are not all here; None when they are."""
    upload = Upload.objects.select_related("file").filter(file=file, completed_at=None).first()
    return state_of(upload) if upload else None


def state_of(upload: Upload) -> UploadState:
    """Return what has been received of an upload, from the database and nowhere else."""
    if upload.completed_at is not None:
        return UploadState(upload, upload.file, _whole(upload.size), duplicate=upload.file_id != upload.pk)
    if upload.by_offset:
        return UploadState(upload, upload.file, _whole(upload.received))
    return UploadState(upload, upload.file, _merged(upload.chunks.order_by("start").values_list("start", "size")))


def _whole(size: int) -> tuple[tuple[int, int], ...]:
    return ((0, size),) if size else ()


def _merged(chunks: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    ranges: list[tuple[int, int]] = []
    for start, size in chunks:
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], start + size)
        else:
            ranges.append((start, start + size))
    return tuple(ranges)


def receive_chunk(upload: Upload, part: ChunkRange, stream: ByteStream, sha256: str = "") -> UploadState:
    """Take one chunk; return only when it is on disk and recorded. The last one completes the file.

    Repeating a chunk is harmless. Raises InvalidContentRange, ChunkIncomplete, ChunkChecksumMismatch (nothing is kept),
    ChunkConflict (the accepted bytes stay), DiskFull, UploadChecksumMismatch.
    """
    _require_grid(upload, part)
    with scratch_file() as received:
        # A file of its own first: a slow or repeated request can never scribble over accepted bytes.
        digest = _receive(stream, received, part.length)
        if sha256 and digest != sha256.lower():
            raise ChunkChecksumMismatch(expected=sha256, received=digest)
        failpoints.reach("chunk.received")
        if upload.completed_at is None:
            _accept(upload, part, received, digest)
            failpoints.reach("chunk.recorded")
    return completed_if_whole(upload.pk)


def completed_if_whole(upload_id: UUID) -> UploadState:
    """Return an upload as it stands, turned into a file if every byte of it is here. Raises as `complete` does."""
    upload = _reread(upload_id)
    whole = upload.completed_at is None and upload.received == upload.size
    return complete(upload_id) if whole else state_of(upload)


def _require_grid(upload: Upload, part: ChunkRange) -> None:
    if upload.by_offset:
        raise UploadByOffset
    last = min(part.start + upload.chunk_size, upload.size) - 1
    if part.size != upload.size or part.start % upload.chunk_size or part.end != last or part.start > part.end:
        raise InvalidContentRange(size=upload.size, chunk_size=upload.chunk_size)


def _receive(stream: ByteStream, target: BinaryIO, length: int) -> str:
    digest = hashlib.sha256()
    count = 0
    while piece := stream.read(_PIECE):
        count += len(piece)
        if count > length:
            break
        digest.update(piece)
        target.write(piece)
    if count != length:
        raise ChunkIncomplete(expected=length, received=count)
    return digest.hexdigest()


def _accept(upload: Upload, part: ChunkRange, received: BinaryIO, digest: str) -> None:
    with transaction.atomic():
        current = locked(upload.pk)
        if current.completed_at is not None:
            return
        known = UploadChunk.objects.filter(upload=current, start=part.start).first()
        if known is None:
            store(current, part.start, received, part.length, digest)
        elif known.sha256 != digest:
            raise ChunkConflict(index=part.start // current.chunk_size)


def store(upload: Upload, start: int, source: BinaryIO, size: int, digest: str) -> None:
    """Make bytes durable and record them, in a transaction that holds the upload's row and keeps ranges apart."""
    storage.storage_of(upload.file).write(upload, start, source, size)
    failpoints.reach("chunk.written")
    UploadChunk.objects.create(upload=upload, start=start, size=size, sha256=digest)
    Upload.objects.filter(pk=upload.pk).update(received=F("received") + size, expires_at=_expiry())
    states.touch(upload.file_id)


def take_back(upload: Upload, chunk: UploadChunk) -> None:
    """Ask for a chunk again whose bytes were lost, in a transaction that holds the upload's row.

    An upload that is filled by offset ends where the loss begins.
    """
    lost = upload.chunks.filter(start__gte=chunk.start) if upload.by_offset else upload.chunks.filter(pk=chunk.pk)
    size = lost.aggregate(sum=Sum("size"))["sum"] or 0
    lost.delete()
    Upload.objects.filter(pk=upload.pk).update(received=F("received") - size, writer=F("writer") + 1)
    states.touch(upload.file_id)


def complete(upload_id: UUID) -> UploadState:
    """Turn a whole upload into a queued file: digest, bytes, record and job in one transaction.

    Safe to call twice or at once: the row is locked, and later callers find it done. An upload that lacks bytes stays
    as it is. Raises FileNotFound, UploadExpired, UploadChecksumMismatch; after the last one the chunks are discarded
    and may be sent again.
    """
    restored = False
    try:
        with transaction.atomic():
            upload = locked(upload_id)
            if upload.completed_at is None and upload.received == upload.size:
                restored = _finish(upload)
        failpoints.reach("complete.committed")
    except UploadChecksumMismatch:
        _discard_chunks(upload_id)
        raise
    return replace(state_of(_reread(upload_id)), restored=restored)


def _reread(upload_id: UUID) -> Upload:
    upload = Upload.objects.select_related("file").filter(pk=upload_id).first()
    if upload is None:  # deleted meanwhile
        raise FileNotFound
    return upload


def _finish(upload: Upload) -> bool:
    """Complete an upload; return whether its content was in the trash and came back."""
    store, key = storage.storage_of(upload.file), storage.key_of(upload.pk)
    with store.whole(upload) as whole:
        if upload.declared_sha256 and whole.sha256 != upload.declared_sha256:
            raise UploadChecksumMismatch(expected=upload.declared_sha256, received=whole.sha256)
        failpoints.reach("complete.verified")
        upload.completed_at = timezone.now()
        adopted = _adopt(upload, whole, key)
    if not adopted:
        existing = FileRecord.objects.get(owner=upload.owner_id, sha256=whole.sha256)
        return _drop_duplicate(upload, existing)
    upload.save(update_fields=["completed_at"])
    upload.chunks.all().delete()
    failpoints.reach("complete.recorded")
    store.keep(upload, key)
    failpoints.reach("complete.moved")
    return False


def _adopt(upload: Upload, whole: Whole, key: str) -> bool:
    """Make the upload's record the owner's file of this content; False when the owner has that content already."""
    found = detect(whole.path, upload.file.name)
    try:
        with transaction.atomic():
            file = states.move(
                upload.file_id,
                FileStatus.QUEUED,
                "uploaded",
                " ".join(("All bytes arrived and were verified.", found.mismatch)).strip(),
                sha256=whole.sha256,
                storage_key=key,
                media_type=found.media_type,
                kind=found.kind,
            )
            jobs.enqueue(file)
    except IntegrityError:
        return False
    return True


def _drop_duplicate(upload: Upload, existing: FileRecord) -> bool:
    own, store = upload.file_id, storage.storage_of(upload.file)
    upload.file = existing
    upload.save(update_fields=["file", "completed_at"])
    upload.chunks.all().delete()
    FileRecord.objects.filter(pk=own).delete()
    if in_trash := existing.trashed_at is not None:
        existing = trash.restore(existing, _FROM_TRASH)
    else:
        FileEvent.objects.create(
            file=existing,
            version=existing.version,
            status=existing.status,
            code="uploaded_again",
            message="The same content was uploaded again; this file was kept.",
        )
    _read_again_if_failed(existing)
    publish_deletion(existing.owner_id, own)
    transaction.on_commit(lambda: store.forget(own))
    return in_trash


def _read_again_if_failed(file: FileRecord) -> None:
    """Whoever uploads a failed file again wants it read: this version may read what an earlier one could not."""
    if file.status == FileStatus.FAILED:
        with suppress(InvalidMove):  # somebody else was faster
            jobs.retry(file)
        file.refresh_from_db()


def _discard_chunks(upload_id: UUID) -> None:
    with transaction.atomic():
        upload = Upload.objects.select_for_update().filter(pk=upload_id).first()
        # Whole still: nobody else discarded them already, and new bytes have not come since.
        if upload is not None and upload.completed_at is None and upload.received == upload.size:
            upload.chunks.all().delete()
            Upload.objects.filter(pk=upload_id).update(received=0, writer=F("writer") + 1)
            storage.storage_of(upload.file).discard(upload)


def receive_whole(owner: User, new: NewUpload, stream: ByteStream) -> UploadState:
    """Take a file from one stream through the same engine, chunk by chunk."""
    state = initiate(owner, new)
    upload = state.upload
    if state.complete:
        return state
    for index in range(upload.total_chunks):
        start = index * upload.chunk_size
        end = min(start + upload.chunk_size, upload.size) - 1
        state = receive_chunk(upload, ChunkRange(start, end, upload.size), _Bounded(stream, end - start + 1))
    return state


class _Bounded:
    """The next `count` bytes of a stream, as a stream."""

    def __init__(self, stream: ByteStream, count: int) -> None:
        self._stream = stream
        self._left = count

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(min(size, self._left))
        self._left -= len(piece)
        return piece
