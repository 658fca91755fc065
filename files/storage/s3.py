"""Bytes in a bucket of an S3-compatible server: no process needs to see another one's disk.

An upload is a multipart upload at the file's key (`s3_cells`: what goes there when). Which parts and staged objects
count stands in PostgreSQL (`MultipartUpload`, `UploadPiece`), written in the transaction that acknowledges the bytes.
An object at a file's key counts for nothing before that file's row names the key, which follows the digest.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import structlog
from django.db import transaction

from files.errors import BytesDamaged, BytesMissing, StorageError, UploadBytesLost
from files.models import MultipartUpload, Upload, UploadPiece
from files.storage.base import FileStorage, Stored, Whole, key_of
from files.storage.s3_bucket import Bucket, BucketOptions
from files.storage.s3_cells import CellGrid, Run
from files.storage.s3_errors import RemoteStorageError
from files.storage.scratch import scratch_file, scratch_path
from files.storage.window import Window
from orchestra.common import failpoints
from orchestra.common.identifiers import new_id
from orchestra.monitoring.checks import Outcome

logger = structlog.get_logger(__name__)

_CHECK_SECONDS = 15


def _staging(file_id: UUID) -> str:
    return f"incoming/{file_id}/"


class S3Storage(FileStorage):
    """Keeps bytes in a bucket. Disks of web and worker hold a file only while it is verified or read."""

    def __init__(
        self,
        *,
        bucket: str,
        endpoint_url: str = "",
        region: str = "",
        access_key: str = "",
        secret_key: str = "",
        prefix: str = "",
        path_style: bool = True,
    ) -> None:
        self._bucket = Bucket(
            BucketOptions(bucket, endpoint_url, region, access_key, secret_key, prefix.strip("/"), path_style)
        )

        self._checked: tuple[float, Outcome | None] = (0.0, None)

    def free_bytes(self) -> None:
        """Return None: S3 has no request that tells. A full bucket refuses the chunk."""

    def write(self, upload: Upload, offset: int, source: BinaryIO, count: int) -> None:
        """Send what fills a cell as its part, stage the rest; a cell that becomes full is sent as its part."""
        grid = CellGrid.of(upload.size, upload.chunk_size)
        for run in grid.runs(offset, count):
            window = Window(source, run.start - offset, run.size)
            if run.fills_cell:
                self._send_part(upload, run, window)
            else:
                self._stage(upload, run, window)
                self._fold(upload, grid, run.number)

    def _send_part(self, upload: Upload, run: Run, body: BinaryIO) -> None:
        key = key_of(upload.pk)
        try:
            tag = self._bucket.put_part(key, self._multipart_of(upload), run.number, body)
        except UploadBytesLost:
            # The parts before this one are gone, which `whole` will say. Until then bytes are taken all the same.
            MultipartUpload.objects.filter(upload=upload).delete()
            tag = self._bucket.put_part(key, self._multipart_of(upload), run.number, body)
        _record(upload, run, tag, part=run.number)

    def _multipart_of(self, upload: Upload) -> str:
        """Return the upload's multipart upload, begun where there is none. The caller holds the upload's row."""
        known = MultipartUpload.objects.filter(upload=upload).first()
        if known is None:
            begun = self._bucket.begin(key_of(upload.pk))
            known = MultipartUpload.objects.create(upload=upload, multipart_id=begun)
        return known.multipart_id

    def _stage(self, upload: Upload, run: Run, body: BinaryIO) -> None:
        # A name that was never used: a request that comes late cannot overwrite bytes that were acknowledged.
        key = f"{_staging(upload.pk)}{run.start}-{new_id()}"
        self._bucket.put(key, body)
        _record(upload, run, key)

    def _fold(self, upload: Upload, grid: CellGrid, number: int) -> None:
        """Make the staged pieces of a cell its part, once they fill it."""
        start, end = grid.bounds(number)
        pieces = list(
            UploadPiece.objects.filter(upload=upload, part=None, start__gte=start, start__lt=end).order_by("start")
        )
        if sum(piece.size for piece in pieces) < end - start:
            return
        UploadPiece.objects.filter(pk__in=[piece.pk for piece in pieces]).delete()
        with scratch_file() as whole:
            for piece in pieces:
                for data in self._bucket.read(piece.mark, count=piece.size):
                    whole.write(data)
            self._send_part(upload, Run(number, start, end - start, True), Window(whole, 0, end - start))
        staged = [piece.mark for piece in pieces]
        transaction.on_commit(lambda: self._delete_quietly(staged))

    @contextmanager
    def whole(self, upload: Upload) -> Iterator[Whole]:
        """Put the parts together and fetch the object, hashed on its way: what was stored is what is verified."""
        key = key_of(upload.pk)
        if upload.size == 0:
            self._bucket.put(key, b"")
        elif self._bucket.size_of(key) != upload.size:
            # Else a crash came between this and the commit: the object is there, and the multipart upload is not.
            self._put_together(upload, key)
            failpoints.reach("store.joined")
        with scratch_path() as path:
            try:
                digest = self._fetch(key, path)
            except BytesMissing as exc:
                raise UploadBytesLost from exc
            if path.stat().st_size != upload.size:
                raise UploadBytesLost
            yield Whole(path, digest)

    def _put_together(self, upload: Upload, key: str) -> None:
        multipart = MultipartUpload.objects.filter(upload=upload).first()
        pieces = UploadPiece.objects.filter(upload=upload).values_list("part", "mark")
        if multipart is None or not pieces:
            raise UploadBytesLost
        self._bucket.complete(key, multipart.multipart_id, {part: mark for part, mark in pieces if part is not None})

    def _fetch(self, key: str, path: Path) -> str:
        """Copy an object to `path` and return its SHA-256 in hex."""
        digest = hashlib.sha256()
        with path.open("wb") as target:
            for piece in self._bucket.read(key):
                digest.update(piece)
                target.write(piece)
        return digest.hexdigest()

    def keep(self, upload: Upload, key: str) -> None:
        """Leave the object where `whole` put it; its parts are no longer of interest."""
        UploadPiece.objects.filter(upload=upload).delete()
        MultipartUpload.objects.filter(upload=upload).delete()

    def discard(self, upload: Upload) -> None:
        """Delete parts, staged objects and the object. After a crash in between, `whole` finds them lost."""
        self._remove(upload.pk)
        UploadPiece.objects.filter(upload=upload).delete()
        MultipartUpload.objects.filter(upload=upload).delete()

    def forget(self, file_id: UUID) -> None:
        """Delete the object, multipart uploads and staged objects; what cannot be deleted now is litter for later."""
        try:
            self._remove(file_id)
        except StorageError as exc:
            logger.warning("bytes not removed", file_id=str(file_id), code=exc.code)

    def _remove(self, file_id: UUID) -> None:
        key = key_of(file_id)
        for begun in list(self._bucket.multiparts(key)):
            self._bucket.abort(key, begun.multipart_id)
        for staged in list(self._bucket.objects(_staging(file_id))):
            self._bucket.delete(staged.key)
        self._bucket.delete(key)

    def _delete_quietly(self, keys: list[str]) -> None:
        with suppress(StorageError):  # found and removed later
            for key in keys:
                self._bucket.delete(key)

    def size_of(self, key: str) -> int | None:
        """Ask the server."""
        return self._bucket.size_of(key)

    def read(self, key: str, start: int, count: int) -> Iterator[bytes]:
        """Pass on what the server sends."""
        return self._bucket.read(key, start, count)

    @contextmanager
    def local(self, key: str, sha256: str = "") -> Iterator[Path]:
        """Fetch the object into a file that is gone when the block ends."""
        with scratch_path() as path:
            if self._fetch(key, path) != sha256 and sha256:
                raise BytesDamaged
            yield path

    def put(self, key: str, source: Path) -> None:
        """Send a file, in parts where it is large."""
        self._bucket.save(key, source)

    def stored_before(self, moment: float) -> Iterator[Stored]:
        """List finished objects, and of what is under way that of which no row speaks."""
        until = datetime.fromtimestamp(moment, UTC)
        for listed in self._bucket.objects("files/"):
            file_id = _id_in(listed.key.rpartition("/")[2])
            if file_id is not None and listed.written < until:
                yield Stored(file_id, partial(self._bucket.delete, listed.key))
        for listed in self._bucket.objects("incoming/"):
            file_id = _id_in(listed.key.split("/")[1])
            if listed.written < until and not UploadPiece.objects.filter(mark=listed.key).exists():
                yield Stored(file_id or new_id(), partial(self._bucket.delete, listed.key), orphaned=True)
        for begun in self._bucket.multiparts("files/"):
            known = MultipartUpload.objects.filter(multipart_id=begun.multipart_id)
            file_id = _id_in(begun.key.rpartition("/")[2])
            if file_id is not None and begun.written < until and not known.exists():
                abort = partial(self._bucket.abort, begun.key, begun.multipart_id)
                yield Stored(file_id, abort, orphaned=True)

    def check(self) -> Outcome:
        """Try what is needed, or say again what was found some seconds ago: a probe asks often."""
        at, outcome = self._checked
        if outcome is None or time.monotonic() - at > _CHECK_SECONDS:
            outcome = self._tried()
            self._checked = time.monotonic(), outcome
        return outcome

    def _tried(self) -> Outcome:
        """Look for the bucket, write, read and delete a probe, begin and abort a multipart upload."""
        key = f"incoming/probe/{new_id()}"
        probe = b"orchestra"
        try:
            self._bucket.require()
            self._bucket.put(key, probe)
            read = b"".join(self._bucket.read(key))
            self._bucket.abort(key, self._bucket.begin(key))
            self._bucket.delete(key)
        except RemoteStorageError as exc:
            reason = f" ({exc.details['reason']})" if exc.details.get("reason") else ""
            return Outcome.failed(f"{self._bucket}: {exc.message}{reason}", exc.remedy)
        except (StorageError, BytesMissing) as exc:
            return Outcome.failed(f"{self._bucket}: {exc.message}", "Free some space there, or look at its log.")
        if read != probe:
            return Outcome.failed(f"{self._bucket} gave other bytes back than it got.", "Look at the S3 server.")
        return Outcome.passed(f"{self._bucket} can be written, read and emptied.")


def _record(upload: Upload, run: Run, mark: str, *, part: int | None = None) -> None:
    failpoints.reach("store.sent")
    UploadPiece.objects.create(upload=upload, start=run.start, size=run.size, part=part, mark=mark)


def _id_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
