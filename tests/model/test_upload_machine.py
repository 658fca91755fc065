"""U2: whatever is sent, repeated, damaged, reordered or raced, an upload is what a dictionary of it says.

Two machines, one for each way of filling an upload. Few short runs each time; `PROPERTIES=thorough` makes 2,000 of 50
steps.
"""

from __future__ import annotations

import hashlib
import os
import random
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from files import appending, expiry, services, uploads
from files.appending import Checksum
from files.errors import (
    BodyChecksumMismatch,
    ChunkChecksumMismatch,
    ChunkConflict,
    ChunkIncomplete,
    FileNotFound,
    InvalidContentRange,
    OffsetConflict,
    UploadChecksumMismatch,
    UploadExpired,
    UploadTakenOver,
    UploadTooLong,
)
from files.models import FileRecord, ProcessingJob, Upload
from files.storage.local import part_path, path_of
from files.uploads import ChunkRange, NewUpload
from orchestra.accounts.models import User
from tests.files.test_appending import Event, Line

CHUNK = 64 * 1024
SIZE = 2 * CHUNK + 1234
RIGHT = random.Random(1).randbytes(SIZE)
OTHER = random.Random(2).randbytes(SIZE)
CHUNKS = st.integers(0, 2)
THOROUGH = os.environ.get("PROPERTIES") == "thorough"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("_redis"),
    pytest.mark.timeout(6 * 3600 if THOROUGH else 600),
]


def part_of(content: bytes, index: int) -> bytes:
    return content[index * CHUNK : (index + 1) * CHUNK]


class UploadMachine(RuleBasedStateMachine):
    """What both have in common: one owner with one upload at a time, which is open, done, past its time, or gone."""

    by_offset = False

    @initialize(declared=st.booleans())
    def first(self, declared: bool) -> None:
        self.owner = User.objects.create_user(str(uuid4()))
        self.done: set[str] = set()
        self.open(declared)

    def teardown(self) -> None:
        User.objects.filter(pk=self.owner.pk).delete()

    def open(self, declared: bool) -> None:
        self.declared = declared and not self.by_offset
        self.state = "open"
        self.held = bytearray(SIZE)
        self.accepted: dict[int, int] = {}  # start: end
        sha256 = hashlib.sha256(RIGHT).hexdigest() if self.declared else ""
        known = sha256 in self.done
        new = NewUpload("data.bin", SIZE, sha256, CHUNK, by_offset=self.by_offset)
        state = uploads.initiate(self.owner, new)
        assert state.duplicate is known
        self.id = state.upload.pk
        if known:
            self.state = "known"

    @precondition(lambda self: self.state not in ("open", "past"))
    @rule(declared=st.booleans())
    def open_another(self, declared: bool) -> None:
        self.open(declared)

    @property
    def whole(self) -> bool:
        return sum(end - start for start, end in self.accepted.items()) == SIZE

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.held).hexdigest()

    def expected(self) -> type[Exception] | None:
        return {"gone": FileNotFound, "past": UploadExpired}.get(self.state)

    def keep(self, start: int, data: bytes) -> None:
        self.held[start : start + len(data)] = data
        if data:
            self.accepted[start] = start + len(data)

    def finish_if_whole(self) -> None:
        if self.whole and self.state == "open":
            self.state = "done"
            self.done.add(self.digest)

    def found(self) -> Upload:
        return uploads.find(self.owner, self.id)

    @precondition(lambda self: self.state in ("open", "past"))
    @rule()
    def abort(self) -> None:
        services.delete(FileRecord.objects.get(pk=self.id))
        self.state = "gone"

    @precondition(lambda self: self.state == "open")
    @rule()
    def time_passes(self) -> None:
        Upload.objects.filter(pk=self.id).update(expires_at=timezone.now() - timedelta(seconds=1))
        self.state = "past"

    @rule()
    def expire(self) -> None:
        assert expiry.expire() == (self.state == "past")
        if self.state == "past":
            self.state = "gone"

    @rule()
    def complete_what_is_whole(self) -> None:
        assert expiry.complete_whole() == 0, "nothing is left for the beat unless a process died"

    @precondition(lambda self: self.state != "known")
    @rule()
    def complete(self) -> None:
        if problem := self.expected():
            with pytest.raises(problem):
                uploads.complete(self.id)
        else:
            assert uploads.complete(self.id).complete is (self.state == "done")

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        if self.state in ("gone", "past", "known"):
            assert self.state != "gone" or not FileRecord.objects.filter(pk=self.id).exists()
            return
        state = uploads.state_of(self.found())
        if self.state == "done":
            assert state.received == ((0, SIZE),)
            return
        covered = bytearray(SIZE)
        for start, end in state.received:
            covered[start:end] = b"\1" * (end - start)
        for start, end in self.accepted.items():
            assert covered[start:end] == b"\1" * (end - start)
        assert sum(covered) == state.received_bytes == sum(end - start for start, end in self.accepted.items())

    @invariant()
    def the_disk_holds_every_accepted_byte(self) -> None:
        if self.state == "open" and self.accepted:
            stored = part_path(self.id).read_bytes()
            for start, end in self.accepted.items():
                assert stored[start:end] == self.held[start:end]
        if self.state == "gone":
            assert not part_path(self.id).exists()

    @invariant()
    def each_content_is_one_file_with_one_job(self) -> None:
        files = FileRecord.objects.filter(owner=self.owner).exclude(sha256="")
        assert sorted(files.values_list("sha256", flat=True)) == sorted(self.done)
        assert ProcessingJob.objects.filter(owner=self.owner).count() == len(self.done)
        for file in files:
            assert hashlib.sha256(path_of(file.storage_key).read_bytes()).hexdigest() == file.sha256


class ChunkMachine(UploadMachine):
    """Chunks on the grid, in any order."""

    def put(self, index: int, body: bytes, sha256: str = "", length: int = 0) -> Any:
        start = index * CHUNK
        part = ChunkRange(start, start + (length or len(body)) - 1, SIZE)
        return uploads.receive_chunk(self.found(), part, BytesIO(body), sha256)

    @precondition(lambda self: self.state != "known")
    @rule(index=CHUNKS, content=st.sampled_from([RIGHT, RIGHT, RIGHT, OTHER]), named=st.booleans())
    def send(self, index: int, content: bytes, named: bool) -> None:
        body = part_of(content, index)
        sha256 = hashlib.sha256(body).hexdigest() if named else ""
        if problem := self.expected_of(index, body):
            with pytest.raises(problem):
                self.put(index, body, sha256)
            if problem is UploadChecksumMismatch:
                self.accepted = {}
            return
        assert self.put(index, body, sha256).complete is (self.state == "done" or self.becomes_whole(index))
        if self.state == "open":
            self.keep(index * CHUNK, body)
            self.finish_if_whole()

    def becomes_whole(self, index: int) -> bool:
        return len({*self.accepted, index * CHUNK}) == 3

    def expected_of(self, index: int, body: bytes) -> type[Exception] | None:
        start = index * CHUNK
        if self.state != "open":
            return self.expected()
        if start in self.accepted and self.held[start : start + len(body)] != body:
            return ChunkConflict
        if self.declared and self.becomes_whole(index):
            after = bytearray(self.held)
            after[start : start + len(body)] = body
            return None if after == RIGHT else UploadChecksumMismatch
        return None

    @precondition(lambda self: self.state == "open")
    @rule(index=CHUNKS, at=st.integers(0, 1000))
    def send_damaged(self, index: int, at: int) -> None:
        body = bytearray(part_of(RIGHT, index))
        named = hashlib.sha256(body).hexdigest()
        body[at] ^= 1
        with pytest.raises(ChunkChecksumMismatch):
            self.put(index, bytes(body), named)

    @precondition(lambda self: self.state == "open")
    @rule(index=CHUNKS, wrong=st.sampled_from([-1, 1, -1000, 5000]))
    def send_short_or_long(self, index: int, wrong: int) -> None:
        body = part_of(RIGHT, index)
        sent = body[:wrong] if wrong < 0 else body + b"?" * wrong
        with pytest.raises(ChunkIncomplete):
            self.put(index, sent, length=len(body))

    @precondition(lambda self: self.state == "open")
    @rule(start=st.integers(0, SIZE - 1).filter(lambda start: start % CHUNK), size=st.integers(1, CHUNK))
    def send_off_the_grid(self, start: int, size: int) -> None:
        with pytest.raises(InvalidContentRange):
            uploads.receive_chunk(self.found(), ChunkRange(start, start + size - 1, SIZE), BytesIO(bytes(size)))


class OffsetMachine(UploadMachine):
    """Bytes of any length, from start to end."""

    by_offset = True

    @property
    def offset(self) -> int:
        return SIZE if self.state == "done" else sum(end - start for start, end in self.accepted.items())

    def claim(self, offset: int) -> appending.Claim:
        return appending.claim(self.found(), offset)

    def sent(self, content: bytes, size: int) -> bytes:
        return content[self.offset : self.offset + size]

    @rule(size=st.integers(0, SIZE), content=st.sampled_from([RIGHT, RIGHT, OTHER]), cut=st.booleans())
    def send(self, size: int, content: bytes, cut: bool) -> None:
        if problem := self.expected():
            with pytest.raises(problem):
                self.claim(self.offset)
            return
        body = self.sent(content, size)
        events: list[Event] = [body, ConnectionResetError] if cut else [body]
        if cut and self.offset + len(body) < SIZE:
            with pytest.raises(ConnectionResetError):
                appending.append(self.claim(self.offset), Line(events))
        else:
            appending.append(self.claim(self.offset), Line(events))
        if self.state == "open":
            self.keep(self.offset, body)
            self.finish_if_whole()

    @precondition(lambda self: self.state == "open")
    @rule(size=st.integers(1, SIZE), right=st.booleans())
    def send_checked(self, size: int, right: bool) -> None:
        body = self.sent(RIGHT, size)
        digest = hashlib.sha1(body if right else body + b"?").digest()
        claimed = self.claim(self.offset)
        if not right:
            with pytest.raises(BodyChecksumMismatch):
                appending.append(claimed, Line([body]), Checksum("sha1", digest))
            return
        appending.append(claimed, Line([body]), Checksum("sha1", digest))
        self.keep(self.offset, body)
        self.finish_if_whole()

    @precondition(lambda self: self.state in ("open", "done"))
    @rule(offset=st.integers(0, SIZE + 1))
    def send_elsewhere(self, offset: int) -> None:
        if offset != self.offset:
            with pytest.raises(OffsetConflict):
                self.claim(offset)

    @precondition(lambda self: self.state == "open")
    @rule(size=st.integers(1, 100))
    def send_after_being_taken_over(self, size: int) -> None:
        late = self.claim(self.offset)
        assert appending.settle(self.found()).received_bytes == self.offset
        with pytest.raises(UploadTakenOver):
            appending.append(late, Line([self.sent(OTHER, size)]))

    @precondition(lambda self: self.state == "open")
    @rule()
    def send_too_much(self) -> None:
        before = self.offset
        with pytest.raises(UploadTooLong):
            appending.append(self.claim(before), Line([RIGHT[before:], b"?"]))
        # Whole pieces before the last may have been stored.
        kept = appending.settle(self.found()).received_bytes
        assert before <= kept < SIZE
        self.keep(before, RIGHT[before:kept])


@pytest.mark.parametrize("machine", [ChunkMachine, OffsetMachine])
def test_no_order_of_events_leaves_the_model(machine: type[UploadMachine], upload_dir: Path) -> None:
    assert upload_dir == django_settings.UPLOAD_DIR
    with connection.cursor() as cursor:
        # What survives a power cut is not asked here; the commits of thousands of steps need not wait for the disk.
        cursor.execute("SET synchronous_commit = off")
    steps = settings(
        max_examples=2_000 if THOROUGH else 10,
        stateful_step_count=50 if THOROUGH else 20,
        deadline=None,
    )
    run_state_machine_as_test(machine, settings=steps)
    assert not Upload.objects.exists(), "each example takes its own away"
