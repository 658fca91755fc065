"""Bugs of the way from the first byte to a queued file."""

from __future__ import annotations

from typing import Any

from tests.faults.seeded.apps import Patch


def recorded_before_written(patch: Patch) -> None:
    """U1, U4: a chunk is said to be durable before its bytes are anywhere."""
    from django.db import transaction

    from files import storage, uploads
    from files.models import Upload

    keep = uploads.store

    class Postponed:
        def write(self, upload: Upload, offset: int, source: Any, count: int) -> None:
            source.seek(0)
            data = source.read(count)
            transaction.on_commit(lambda: _write(upload, offset, data))

    def _write(upload: Upload, offset: int, data: bytes) -> None:
        from io import BytesIO

        from orchestra.common import failpoints

        failpoints.reach("chunk.written")
        real(upload.file).write(upload, offset, BytesIO(data), len(data))

    def store(upload: Upload, start: int, source: Any, size: int, digest: str) -> None:
        storage.storage_of = lambda _: Postponed()  # type: ignore[assignment,return-value]
        try:
            keep(upload, start, source, size, digest)
        finally:
            storage.storage_of = real

    real = storage.storage_of
    patch("files.uploads.store", store)


def later_bytes_replace_accepted_ones(patch: Patch) -> None:
    """U2: a chunk that was accepted is overwritten by other bytes for it."""
    from files import uploads
    from files.models import Upload, UploadChunk

    accept = uploads._accept

    def careless(upload: Upload, part: Any, received: Any, digest: str) -> None:
        known = UploadChunk.objects.filter(upload=upload, start=part.start)
        if known.exclude(sha256=digest).exists():
            Upload.objects.filter(pk=upload.pk).update(received=upload.received - part.length)
            known.delete()
        accept(upload, part, received, digest)

    patch("files.uploads._accept", careless)


def damaged_bytes_are_kept(patch: Patch) -> None:
    """U3: nobody compares the digest of a request's bytes."""
    patch("files.appending._verify", lambda piece, checksum: None)


def status_tells_what_is_hoped(patch: Patch) -> None:
    """U4: the status lists the whole span between the first and the last byte."""

    def merged(chunks: Any) -> tuple[tuple[int, int], ...]:
        found = list(chunks)
        return ((found[0][0], found[-1][0] + found[-1][1]),) if found else ()

    patch("files.uploads._merged", merged)


def completion_takes_no_lock(patch: Patch) -> None:
    """U5: two that complete at once both do the work."""
    from files.models import Upload

    patch("files.uploads.locked", lambda upload_id: Upload.objects.get(pk=upload_id))


def nobody_is_fenced(patch: Patch) -> None:
    """U6: a request that was taken over goes on storing bytes."""
    from files import uploads
    from files.models import Upload

    def locked(upload_id: Any) -> Upload:
        upload = real(upload_id)
        upload.writer = _Any()  # type: ignore[assignment]
        return upload

    real = uploads.locked
    patch("files.uploads.locked", locked)
    patch("files.appending._take_over", lambda current: 1)


class _Any:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def expiry_takes_what_is_whole(patch: Patch) -> None:
    """U7: an upload of which every byte was acknowledged is removed because its process died."""
    from django.db.models import Q
    from django.db.models.functions import Now

    patch("files.uploads.abandoned", lambda: Q(completed_at=None, expires_at__lt=Now()))


def room_is_not_reserved(patch: Patch) -> None:
    """U8: nobody looks for room before the first byte."""
    patch("files.uploads._require_room", lambda owner, size: None)


def deletion_leaves_bytes(patch: Patch) -> None:
    """U9: rows go, bytes stay."""
    patch("files.storage.local.LocalStorage.forget", lambda self, file_id: None)


def deletion_does_not_wait_for_bytes(patch: Patch) -> None:
    """U9: a file is deleted under a request that is storing a chunk of it."""
    patch("files.trash._hold_uploads", lambda file_id: None)
