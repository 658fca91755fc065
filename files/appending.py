"""Filling an upload from start to end: bytes of any length, over connections that break.

What has come is stored piece by piece while the request still runs, each piece as durable as a chunk (`uploads.store`),
so that a cut costs what came within the last seconds at most. One request at a time may append: each takes the upload
over from the one before by its fencing token, under the row's lock, so that a dead client's request holds up nobody and
the bytes of two never mix. What comes before: `files.tus`; what comes after: `uploads.complete`.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import BinaryIO, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from files import uploads
from files.errors import (
    BodyChecksumMismatch,
    BodyTooSlow,
    CheckedBodyTooLarge,
    OffsetConflict,
    UploadTakenOver,
    UploadTooLong,
)
from files.models import Upload
from files.storage.scratch import scratch_file
from files.uploads import UploadState
from orchestra.common import failpoints

# Seconds. What came is stored once nothing more came for QUIET, and AGE after its first byte at the latest.
QUIET = 1.0
AGE = 10.0
SILENCE = 60.0
# A body with a checksum is stored as a whole or not at all: until then it takes room that nobody reserved.
LARGEST_CHECKED = 64 * 1024**2
_READ = 256 * 1024


class SteadyStream(Protocol):
    """Bytes that come over a line, when they come."""

    def read(self, size: int, /, seconds: float | None = None) -> bytes:
        """Return up to `size` bytes; empty at the end.

        Raises TimeoutError when none came for `seconds`, ConnectionError when the line broke.
        """


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the client says its bytes' digest is; `algorithm` is a name that hashlib knows."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to append to an upload from `offset` on, until another request takes it over."""

    upload_id: UUID
    offset: int
    size: int
    piece_size: int
    writer: int


class _Piece:
    """Bytes in a scratch file until they are stored, and how their sender ended, if it did."""

    def __init__(self, scratch: BinaryIO, limit: int, *, must_end: bool, checked: bool) -> None:
        self.scratch = scratch
        self.size = 0
        self.ended = False
        self.broken: Exception | None = None
        self._limit = limit
        # Behind an upload's last byte the stream has to end: that is looked at before the byte is stored.
        self._must_end = must_end
        self._checked = checked
        self._began = self.heard = time.monotonic()

    @property
    def wanted(self) -> int:
        """How many bytes to ask for next."""
        return min(_READ, self._limit - self.size) or 1

    @property
    def full(self) -> bool:
        """Whether no more fit in."""
        return self.size == self._limit and not self._must_end

    @property
    def due(self) -> bool:
        """Whether what came has waited long enough; what has a checksum waits for its end."""
        now = time.monotonic()
        return self.size > 0 and not self._checked and (now - self._began >= AGE or now - self.heard >= QUIET)

    def take(self, data: bytes) -> None:
        """Add what came; nothing is the end. Raises UploadTooLong, CheckedBodyTooLarge."""
        self.ended = not data
        if self.size + len(data) > self._limit:
            raise CheckedBodyTooLarge(limit=LARGEST_CHECKED) if self._limit == LARGEST_CHECKED else UploadTooLong
        self.heard = time.monotonic()
        if not self.size:
            self._began = self.heard
        self.scratch.write(data)
        self.size += len(data)


def settle(upload: Upload) -> UploadState:
    """Return where an upload ends, for certain: whoever was appending until now is stopped.

    One that has every byte and was not completed, because the process died, is completed. Raises FileNotFound,
    UploadExpired, UploadChecksumMismatch.
    """
    with transaction.atomic():
        current = uploads.locked(upload.pk)
        if current.completed_at is None:
            _take_over(current)
    return uploads.completed_if_whole(upload.pk)


def claim(upload: Upload, offset: int) -> Claim:
    """Become the one that appends to an upload. Raises OffsetConflict when it does not end at `offset`."""
    with transaction.atomic():
        current = uploads.locked(upload.pk)
        if current.received != offset:
            raise OffsetConflict(offset=current.received)
        writer = _take_over(current)
    return Claim(upload.pk, offset, current.size, current.chunk_size, writer)


def _take_over(current: Upload) -> int:
    Upload.objects.filter(pk=current.pk).update(writer=F("writer") + 1)
    return current.writer + 1


def append(claimed: Claim, stream: SteadyStream, checksum: Checksum | None = None) -> UploadState:
    """Take bytes until the stream ends; the last byte of the upload completes the file.

    When the line breaks, what came is stored all the same, and ConnectionError raised. With a checksum, all is stored
    or nothing. Raises BodyChecksumMismatch, CheckedBodyTooLarge, UploadTooLong, UploadTakenOver, BodyTooSlow,
    FileNotFound, DiskFull.
    """
    offset = claimed.offset
    while True:
        _give_connection_back()
        with scratch_file() as scratch:
            piece = _gather(claimed, claimed.size - offset, stream, scratch, checked=checksum is not None)
            if checksum is not None:
                _verify(piece, checksum)
            if piece.size:
                _store(claimed, offset, piece)
                offset += piece.size
        if piece.broken is not None and offset < claimed.size:
            raise piece.broken
        if piece.ended or piece.broken is not None:
            return uploads.completed_if_whole(claimed.upload_id)


def _gather(claimed: Claim, left: int, stream: SteadyStream, scratch: BinaryIO, *, checked: bool) -> _Piece:
    """Read until the piece is full, the stream ends, or what came has waited long enough to be stored."""
    room = LARGEST_CHECKED if checked else claimed.piece_size
    piece = _Piece(scratch, min(left, room), must_end=checked or left <= room, checked=checked)
    while not (piece.ended or piece.broken or piece.full or piece.due):
        try:
            piece.take(stream.read(piece.wanted, QUIET))
        except TimeoutError:
            _wait_on(claimed, piece)
        except ConnectionError as exc:
            piece.broken = exc
    return piece


def _give_connection_back() -> None:
    """Keep no connection of the pool while a client is slow; a thread is enough."""
    if not connection.in_atomic_block:
        connection.close()


def _wait_on(claimed: Claim, piece: _Piece) -> None:
    """Nothing came for a while: stop if another request goes on with the upload, or if nothing comes any more."""
    if not Upload.objects.filter(pk=claimed.upload_id, writer=claimed.writer).exists():
        raise UploadTakenOver
    _give_connection_back()
    if time.monotonic() - piece.heard > SILENCE:
        piece.broken = BodyTooSlow()


def _verify(piece: _Piece, checksum: Checksum) -> None:
    """Refuse what has another digest, and what was cut off: nobody can tell whether that is right."""
    if piece.broken is not None:
        raise piece.broken
    if _digest(piece.scratch, checksum.algorithm) != checksum.digest.hex():
        raise BodyChecksumMismatch(algorithm=checksum.algorithm)


def _digest(scratch: BinaryIO, algorithm: str) -> str:
    scratch.seek(0)
    return hashlib.file_digest(scratch, algorithm).hexdigest()  # type: ignore[arg-type]  # BinaryIO lacks readinto


def _store(claimed: Claim, offset: int, piece: _Piece) -> None:
    digest = _digest(piece.scratch, "sha256")
    failpoints.reach("append.gathered")
    with transaction.atomic():
        current = uploads.locked(claimed.upload_id)
        if current.writer != claimed.writer or current.completed_at is not None:
            raise UploadTakenOver
        uploads.store(current, offset, piece.scratch, piece.size, digest)
    failpoints.reach("append.recorded")
