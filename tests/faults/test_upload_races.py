"""U7 and U8, and that the tests of uploads bite: for each promise a bug that one of them finds."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from rest_framework.test import APIClient

from files import appending, expiry, services, storage, uploads
from files.errors import DiskFull, FileNotFound, UploadExpired
from files.models import FileRecord, ProcessingJob, Upload
from files.storage import local
from files.storage.local import part_path, path_of
from files.uploads import ChunkRange, NewUpload
from orchestra.accounts.models import User
from tests.conftest import client_of
from tests.faults.seeded.apps import seed
from tests.faults.small_disk import small_disk
from tests.files.test_appending import Line
from tests.model.test_upload_machine import ChunkMachine, OffsetMachine

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

CHUNK = 64 * 1024
RACES = 1000 if os.environ.get("PROPERTIES") == "thorough" else 25


def whole_chunk(upload: Upload, content: bytes) -> Any:
    part = ChunkRange(0, len(content) - 1, len(content))
    return uploads.receive_chunk(upload, part, BytesIO(content))


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run all at the same moment, each in a thread with a connection of its own; return results or errors."""
    gate = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(at: int) -> None:
        gate.wait(30)
        try:
            results[at] = acts[at]()
        except Exception as exc:  # noqa: BLE001 - the test looks at it
            results[at] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_an_upload_is_completed_or_expired_and_never_half(alice: User, upload_dir: Path) -> None:
    finished = expired = 0
    for number in range(RACES):
        content = f"race {number} ".encode() * 100
        new = NewUpload("race.bin", len(content), by_offset=number % 2 == 1)
        upload = uploads.initiate(alice, new).upload
        Upload.objects.filter(pk=upload.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

        def finish(upload: Upload = upload, content: bytes = content) -> object:
            # As a request that was let in before the time was up.
            Upload.objects.filter(pk=upload.pk).update(expires_at=timezone.now() + timedelta(milliseconds=2))
            if upload.by_offset:
                return appending.append(appending.claim(upload, 0), Line([content]))
            return whole_chunk(upload, content)

        result, _ = at_once(finish, expiry.expire)
        expiry.expire()
        if isinstance(result, uploads.UploadState):
            assert result.complete
            assert path_of(FileRecord.objects.get(pk=upload.pk).storage_key).read_bytes() == content
            services.delete(FileRecord.objects.get(pk=upload.pk))
            finished += 1
        else:
            assert isinstance(result, FileNotFound | UploadExpired), result
            _until_time_is_up(upload)
            assert not FileRecord.objects.filter(pk=upload.pk).exists()
            expired += 1
        assert not part_path(upload.pk).exists()
    assert finished + expired == RACES
    assert bytes_below(upload_dir) == 0, "the disk is back to where it was"


def _until_time_is_up(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    expiry.expire()


def test_many_that_complete_at_once_all_succeed_with_one_job(alice: User) -> None:
    content = random.Random(3).randbytes(CHUNK)
    upload = uploads.initiate(alice, NewUpload("crowd.bin", len(content))).upload
    results = at_once(*[lambda: whole_chunk(upload, content)] * 8)
    assert [getattr(result, "complete", result) for result in results] == [True] * 8
    assert ProcessingJob.objects.count() == FileRecord.objects.count() == 1


def test_a_deletion_and_bytes_at_once_leave_all_or_nothing(alice: User, upload_dir: Path, settings: Any) -> None:
    settings.TRASH_DAYS = 0  # where all bytes are there first, the whole file is what is deleted
    for number in range(RACES):
        content = random.Random(number).randbytes(3 * CHUNK)
        upload = uploads.initiate(alice, NewUpload("gone.bin", len(content), chunk_size=CHUNK)).upload
        file = FileRecord.objects.get(pk=upload.pk)

        def send(index: int, upload: Upload = upload, content: bytes = content) -> object:
            part = ChunkRange(index * CHUNK, (index + 1) * CHUNK - 1, len(content))
            return uploads.receive_chunk(upload, part, BytesIO(content[part.start : part.end + 1]))

        *sent, deleted = at_once(*(partial(send, index) for index in range(3)), partial(services.delete, file))
        assert deleted is None, deleted
        assert all(isinstance(result, uploads.UploadState | FileNotFound) for result in sent), sent
        assert not FileRecord.objects.filter(pk=file.pk).exists()
    assert bytes_below(upload_dir) == 0


def test_a_full_disk_refuses_early_harms_nobody_and_loses_nothing(
    as_alice: APIClient, bob: User, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "DISK_RESERVE", 0)
    with small_disk(tmp_path / "disk", megabytes=8) as disk:
        settings.UPLOAD_DIR = disk / "uploads"
        content = random.Random(8).randbytes(3 * 1024**2)
        body = {"name": "large.bin", "size": len(content), "chunk_size": 1024**2}
        large = as_alice.post("/api/files/upload/initiate", body).json()
        assert _send(as_alice, large, content, 0) == 200

        # Refused before a byte, with what others have reserved counted in.
        more = as_alice.post("/api/files/upload/initiate", {"name": "more", "size": 6 * 1024**2})
        assert (more.status_code, more.json()["error"]["code"]) == (507, "disk_full")

        # Then somebody else fills the disk behind our back.
        (disk / "filler").write_bytes(bytes(storage.chosen().free_bytes() or 0 - 200_000))
        assert _send(as_alice, large, content, 1) == 507
        state = as_alice.get(f"/api/files/{large['id']}/status").json()["upload"]
        assert state["received"] == [[0, 1024**2]], "the refused chunk moved nothing"
        small = client_of(bob).post("/api/files/upload", {"file": BytesIO(b"small enough")}, format="multipart")
        assert small.status_code in (201, 507)

        (disk / "filler").unlink()
        assert [_send(as_alice, large, content, index) for index in (1, 2)] == [200, 200]
        file = FileRecord.objects.get(pk=large["id"])
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        after = client_of(bob).post("/api/files/upload", {"file": BytesIO(b"small")}, format="multipart")
        assert after.status_code == 201


def _send(client: APIClient, upload: Any, content: bytes, index: int) -> int:
    start = index * 1024**2
    part = content[start : start + 1024**2]
    headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"}
    address = f"/api/files/{upload['id']}/upload"
    return int(client.put(address, part, content_type="application/octet-stream", headers=headers).status_code)


# --- The tests bite --------------------------------------------------------------------------------------------------


def _machine_of(machine: Any) -> Callable[..., None]:
    def run(**_: Any) -> None:
        # As many examples as it takes, unshrunk: it is known what is wrong.
        found = settings(
            max_examples=300, stateful_step_count=25, deadline=None, phases=[Phase.generate], database=None
        )
        run_state_machine_as_test(machine, settings=found)

    return run


def _what_is_whole_is_not_expired(alice: User, **_: Any) -> None:
    upload = uploads.initiate(alice, NewUpload("whole.bin", 5, by_offset=True)).upload
    Upload.objects.update(received=5, expires_at=timezone.now() - timedelta(seconds=1))
    expiry.expire()
    assert Upload.objects.filter(pk=upload.pk).exists()


def _room_is_looked_for(alice: User, monkeypatch: pytest.MonkeyPatch, **_: Any) -> None:
    monkeypatch.setattr(local.LocalStorage, "free_bytes", lambda self: 10)
    with pytest.raises(DiskFull):
        uploads.initiate(alice, NewUpload("large.bin", 11))


BITES: dict[str, Callable[..., None]] = {
    "later_bytes_replace_accepted_ones": _machine_of(ChunkMachine),
    "damaged_bytes_are_kept": _machine_of(OffsetMachine),
    "status_tells_what_is_hoped": _machine_of(ChunkMachine),
    "completion_takes_no_lock": lambda alice, **_: test_many_that_complete_at_once_all_succeed_with_one_job(alice),
    "nobody_is_fenced": _machine_of(OffsetMachine),
    "expiry_takes_what_is_whole": _what_is_whole_is_not_expired,
    "room_is_not_reserved": _room_is_looked_for,
    "deletion_leaves_bytes": _machine_of(ChunkMachine),
    "deletion_does_not_wait_for_bytes": lambda alice, upload_dir, settings, **_: (
        test_a_deletion_and_bytes_at_once_leave_all_or_nothing(alice, upload_dir, settings)
    ),
}


@pytest.mark.parametrize("bug", BITES)
def test_each_seeded_bug_is_found(
    bug: str, alice: User, upload_dir: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(f"uploads.{bug}", monkeypatch.setattr)
    with pytest.raises((Exception, pytest.fail.Exception)) as found:  # each fails in its own way
        BITES[bug](alice=alice, upload_dir=upload_dir, settings=settings, monkeypatch=monkeypatch)
    assert found.type is not TypeError, "a test that is called wrongly finds nothing"


@pytest.mark.parametrize("check", [_what_is_whole_is_not_expired, _room_is_looked_for])
def test_what_finds_a_bug_passes_without_it(
    check: Callable[..., None], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(alice=alice, monkeypatch=monkeypatch)
