"""Uploads filled from start to end: cuts, silence, two at once, too much, damage, deletion in between."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from files import appending, expiry, services, uploads
from files.appending import Checksum
from files.errors import (
    BodyChecksumMismatch,
    BodyTooSlow,
    CheckedBodyTooLarge,
    FileNotFound,
    OffsetConflict,
    UploadByOffset,
    UploadExpired,
    UploadTakenOver,
    UploadTooLong,
)
from files.models import FileRecord, ProcessingJob, Upload, UploadChunk
from files.storage.local import path_of
from files.uploads import ChunkRange, NewUpload
from orchestra.accounts.models import User
from tests.conftest import sha256

CONTENT = random.Random(5).randbytes(300_000)
PIECE = 64 * 1024

Event = bytes | type[Exception] | Callable[[], None]


class Line:
    """A stream that brings what a test wrote down: bytes, an error to raise, or something that happens meanwhile."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = list(events)

    def read(self, size: int, /, seconds: float | None = None) -> bytes:
        while self._events:
            event = self._events.pop(0)
            if isinstance(event, bytes):
                if event[size:]:
                    self._events.insert(0, event[size:])
                return event[:size]
            if isinstance(event, type):
                raise event
            event()
        return b""


@pytest.fixture
def upload(alice: User) -> Upload:
    new = NewUpload("data.bin", len(CONTENT), chunk_size=PIECE, by_offset=True)
    return uploads.initiate(alice, new).upload


def append(upload: Upload, offset: int, *events: Event, checksum: Checksum | None = None) -> int:
    return appending.append(appending.claim(upload, offset), Line(events), checksum).received_bytes


def stored(upload: Upload) -> list[tuple[int, int]]:
    return list(UploadChunk.objects.filter(upload=upload).order_by("start").values_list("start", "size"))


def test_one_stream_becomes_pieces_and_then_a_file(upload: Upload) -> None:
    assert append(upload, 0, CONTENT[:200_000]) == 200_000
    assert stored(upload) == [(0, PIECE), (PIECE, PIECE), (2 * PIECE, PIECE), (3 * PIECE, 200_000 - 3 * PIECE)]
    assert append(upload, 200_000, CONTENT[200_000:]) == len(CONTENT)
    file = FileRecord.objects.get()
    assert (file.status, file.sha256) == ("queued", sha256(CONTENT))
    assert path_of(file.storage_key).read_bytes() == CONTENT
    assert ProcessingJob.objects.filter(file=file).count() == 1


def test_what_came_before_a_cut_is_kept(upload: Upload) -> None:
    with pytest.raises(ConnectionResetError):
        append(upload, 0, CONTENT[:100_001], ConnectionResetError)
    assert appending.settle(upload).received_bytes == 100_001
    assert append(upload, 100_001, CONTENT[100_001:]) == len(CONTENT)
    assert FileRecord.objects.get().sha256 == sha256(CONTENT)


def test_what_came_is_stored_when_the_line_falls_silent(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "QUIET", 0.0)
    seen: list[int] = []
    look = lambda: seen.append(Upload.objects.get().received)  # noqa: E731 - an event of the line
    append(upload, 0, CONTENT[:1000], TimeoutError, look, CONTENT[1000:2000], TimeoutError, look)
    assert seen == [1000, 2000]


def test_what_trickles_in_is_stored_after_a_while(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "AGE", 0.0)
    append(upload, 0, CONTENT[:1000], CONTENT[1000:2000])
    assert stored(upload) == [(0, 1000), (1000, 1000)]


def test_a_sender_who_stays_silent_is_given_up(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "SILENCE", -1.0)
    with pytest.raises(BodyTooSlow):
        append(upload, 0, CONTENT[:500], TimeoutError, CONTENT[500:])
    assert appending.settle(upload).received_bytes == 500


def test_another_offset_conflicts_and_stops_nobody(upload: Upload) -> None:
    claimed = appending.claim(upload, 0)
    for wrong in (1, len(CONTENT)):
        with pytest.raises(OffsetConflict):
            appending.claim(upload, wrong)
    assert appending.append(claimed, Line([CONTENT[:10]])).received_bytes == 10


@pytest.mark.parametrize("other", ["asks", "sends"])
def test_the_later_request_wins_and_their_bytes_never_mix(upload: Upload, other: str) -> None:
    def comes() -> None:
        if other == "asks":
            assert appending.settle(upload).received_bytes == PIECE
        else:
            append(upload, PIECE, CONTENT[PIECE : PIECE + 100])

    with pytest.raises(UploadTakenOver):
        append(upload, 0, CONTENT[:PIECE], comes, b"?" * 9)
    end = PIECE if other == "asks" else PIECE + 100
    assert append(upload, end, CONTENT[end:]) == len(CONTENT)
    assert FileRecord.objects.get().sha256 == sha256(CONTENT)


def _asked(upload: Upload) -> None:
    assert appending.settle(upload).received_bytes == 0


def test_a_silent_request_notices_that_it_was_taken_over(upload: Upload) -> None:
    with pytest.raises(UploadTakenOver):
        append(upload, 0, lambda: _asked(upload), TimeoutError, CONTENT)
    assert appending.settle(upload).received_bytes == 0


def test_bytes_behind_the_end_are_refused_before_the_file_is_made(upload: Upload) -> None:
    with pytest.raises(UploadTooLong):
        append(upload, 0, CONTENT, b"and more")
    assert not ProcessingJob.objects.exists()
    kept = appending.settle(upload).received_bytes
    assert kept < len(CONTENT)
    assert append(upload, kept, CONTENT[kept:]) == len(CONTENT)
    assert FileRecord.objects.get().sha256 == sha256(CONTENT)


def test_a_checked_body_is_kept_as_a_whole_or_not_at_all(upload: Upload) -> None:
    part = CONTENT[: 2 * PIECE + 5]
    right = Checksum("sha1", hashlib.sha1(part).digest())
    with pytest.raises(BodyChecksumMismatch):
        append(upload, 0, part[:-1] + b"?", checksum=right)
    with pytest.raises(ConnectionResetError):
        append(upload, 0, part[:-1], ConnectionResetError, checksum=right)
    assert stored(upload) == []
    assert append(upload, 0, part, checksum=right) == len(part)
    assert stored(upload) == [(0, len(part))]


def test_a_checked_body_takes_no_more_room_than_agreed(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "LARGEST_CHECKED", 1000)
    with pytest.raises(CheckedBodyTooLarge):
        append(upload, 0, CONTENT[:1001], checksum=Checksum("md5", b"0" * 16))
    assert appending.settle(upload).received_bytes == 0


def test_a_deletion_in_between_is_final(upload: Upload, django_capture_on_commit_callbacks: Any) -> None:
    with pytest.raises(FileNotFound), django_capture_on_commit_callbacks(execute=True):
        append(upload, 0, CONTENT[:PIECE], lambda: services.delete_upload(upload), CONTENT[PIECE:])
    assert not FileRecord.objects.exists()
    assert not UploadChunk.objects.exists()


def test_chunks_do_not_fit_into_it(upload: Upload) -> None:
    with pytest.raises(UploadByOffset):
        uploads.receive_chunk(upload, ChunkRange(0, PIECE - 1, len(CONTENT)), Line([CONTENT[:PIECE]]))


def test_each_piece_puts_the_end_off(upload: Upload) -> None:
    Upload.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    append(upload, 0, CONTENT[:10])
    assert Upload.objects.get().expires_at > timezone.now() + timedelta(hours=1)


def test_an_upload_past_its_time_takes_nothing_and_goes(upload: Upload) -> None:
    append(upload, 0, CONTENT[:10])
    claimed = appending.claim(upload, 10)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=5))
    with pytest.raises(UploadExpired):
        appending.append(claimed, Line([CONTENT[10:]]))
    with pytest.raises(UploadExpired):
        appending.settle(upload)
    assert expiry.expire() == 1
    assert not FileRecord.objects.exists()


@pytest.fixture
def left_whole(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """An upload with every byte, whose process died before it made a file of them."""

    def dies(upload_id: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "completed_if_whole", dies)
        with pytest.raises(KeyboardInterrupt):
            append(upload, 0, CONTENT)
    assert not ProcessingJob.objects.exists()
    return upload


def test_asking_for_the_offset_completes_what_is_whole(left_whole: Upload) -> None:
    assert appending.settle(left_whole).complete
    assert FileRecord.objects.get().sha256 == sha256(CONTENT)


def test_what_is_whole_becomes_a_file_without_its_client_and_after_its_time(left_whole: Upload) -> None:
    Upload.objects.update(expires_at=timezone.now() - timedelta(days=3))
    assert expiry.expire() == 0
    assert expiry.complete_whole() == 1
    assert expiry.complete_whole() == 0
    assert (FileRecord.objects.get().sha256, ProcessingJob.objects.count()) == (sha256(CONTENT), 1)


def test_content_that_is_known_ends_as_the_known_file_and_deletes_alone(alice: User, upload: Upload) -> None:
    append(upload, 0, CONTENT)
    again = uploads.initiate(alice, NewUpload("copy.bin", len(CONTENT), by_offset=True)).upload
    append(again, 0, CONTENT)
    assert uploads.find(alice, again.pk).file_id == upload.pk
    services.delete_upload(uploads.find(alice, again.pk))
    assert FileRecord.objects.get().pk == upload.pk
    with pytest.raises(FileNotFound):
        uploads.find(alice, again.pk)
