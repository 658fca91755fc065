"""Bytes in a bucket keep the same promises, at a real server; and what only a server can do to us."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.auth
import pytest
from django.db import transaction
from rest_framework.test import APIClient

from files import expiry, pipeline, uploads
from files.errors import BytesDamaged, UploadBytesLost
from files.models import FileRecord, FileStatus, MultipartUpload, ProcessingJob, Upload, UploadChunk, UploadPiece
from files.storage import FileStorage, chosen, key_of
from files.storage.s3_errors import (
    BucketMissing,
    RemoteStorageError,
    StorageClockWrong,
    StorageDenied,
    StorageUnavailable,
)
from files.storage.scratch import scratch_dir
from orchestra.accounts.models import User
from tests.answers import error_of
from tests.conftest import sha256
from tests.contracts.storage import MIB, FileStorageContract
from tests.s3_server import BUCKET, S3Server

CHUNK = 5 * MIB
CONTENT = random.Random(11).randbytes(2 * CHUNK + 777)


class TestS3Storage(FileStorageContract):
    @pytest.fixture
    def store(self, s3: S3Server) -> FileStorage:
        return chosen()


class TestS3StorageBelowAPrefix(FileStorageContract):
    @pytest.fixture
    def store(self, s3: S3Server, settings: Any) -> FileStorage:
        settings.FILE_STORAGES = s3.storages(prefix="/shared/orchestra/")
        return chosen()

    def test_every_key_lies_below_it(self, store: FileStorage, s3: S3Server, tmp_path: Path, db: None) -> None:
        (tmp_path / "source").write_bytes(b"x")
        store.put("files/aa/00000000-0000-0000-0000-0000000000aa", tmp_path / "source")
        assert s3.stored_keys() == ["shared/orchestra/files/aa/00000000-0000-0000-0000-0000000000aa"]


def opened(owner: User, content: bytes = CONTENT, chunk_size: int = CHUNK) -> Upload:
    return uploads.initiate(owner, uploads.NewUpload("data.bin", len(content), chunk_size=chunk_size)).upload


def send(client: APIClient, upload: Upload, index: int, content: bytes = CONTENT) -> Any:
    first = index * upload.chunk_size
    part = content[first : first + upload.chunk_size]
    headers = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(content)}"}
    return client.put(f"/api/files/{upload.pk}/upload", part, content_type="application/octet-stream", headers=headers)


class TestParts:
    def test_a_chunk_of_five_mebibytes_is_a_part_and_nothing_else(
        self, s3: S3Server, as_alice: APIClient, alice: User
    ) -> None:
        upload = opened(alice)
        for index in (2, 0):
            assert send(as_alice, upload, index).status_code == 200

        parts = s3.client().list_parts(
            Bucket=BUCKET, Key=key_of(upload.pk), UploadId=MultipartUpload.objects.get().multipart_id
        )["Parts"]
        assert [(part["PartNumber"], part["Size"]) for part in parts] == [(1, CHUNK), (3, 777)]
        assert s3.stored_keys() == []
        assert not list(scratch_dir().iterdir()), "nothing is left on this machine's disk"

    @pytest.mark.django_db(transaction=True)
    def test_small_chunks_are_staged_until_they_make_a_part(
        self, s3: S3Server, as_alice: APIClient, alice: User
    ) -> None:
        upload = opened(alice, chunk_size=MIB)
        for index in range(4):
            assert send(as_alice, upload, index).status_code == 200
        assert len(s3.stored_keys()) == 4
        assert send(as_alice, upload, 4).status_code == 200
        assert s3.stored_keys() == []
        assert UploadPiece.objects.get().part == 1

    def test_repeating_a_chunk_sends_nothing_and_other_bytes_conflict(
        self, s3: S3Server, as_alice: APIClient, alice: User
    ) -> None:
        upload = opened(alice)
        send(as_alice, upload, 0)
        before = UploadPiece.objects.get().mark
        assert send(as_alice, upload, 0).status_code == 200
        assert error_of(send(as_alice, upload, 0, bytes(len(CONTENT))), 409)["code"] == "chunk_conflict"
        assert UploadPiece.objects.get().mark == before


class TestBytesThatAreGone:
    def complete_after(self, client: APIClient, upload: Upload, harm: Callable[[], object]) -> Any:
        for index in (0, 1):
            assert send(client, upload, index).status_code == 200
        harm()
        return send(client, upload, 2)

    def recovered(self, client: APIClient, upload: Upload) -> None:
        answers = [send(client, upload, index).json() for index in (0, 1, 2)]
        assert answers[-1]["complete"] is True
        file = FileRecord.objects.get(pk=upload.pk)
        assert file.sha256 == sha256(CONTENT)
        assert b"".join(chosen().read(file.storage_key, 0, file.size)) == CONTENT

    def test_a_multipart_upload_that_the_bucket_dropped_is_sent_anew(
        self, s3: S3Server, as_alice: APIClient, alice: User
    ) -> None:
        upload = opened(alice)

        def drop() -> None:
            s3.client().abort_multipart_upload(
                Bucket=BUCKET, Key=key_of(upload.pk), UploadId=MultipartUpload.objects.get().multipart_id
            )

        assert error_of(self.complete_after(as_alice, upload, drop), 409)["code"] == "upload_bytes_lost"
        assert not UploadChunk.objects.exists()
        assert FileRecord.objects.get().status == FileStatus.UPLOADING
        self.recovered(as_alice, upload)

    def test_a_part_that_is_not_the_recorded_one_is_never_taken(
        self, s3: S3Server, as_alice: APIClient, alice: User
    ) -> None:
        upload = opened(alice)

        def other_tag() -> None:
            UploadPiece.objects.filter(part=1).update(mark='"0123456789abcdef0123456789abcdef"')

        assert error_of(self.complete_after(as_alice, upload, other_tag), 409)["code"] == "upload_bytes_lost"
        self.recovered(as_alice, upload)

    def test_a_late_request_that_overwrites_a_part_changes_nothing(
        self, s3: S3Server, as_alice: APIClient, alice: User
    ) -> None:
        upload = opened(alice)

        def overwrite() -> None:
            s3.client().upload_part(
                Bucket=BUCKET,
                Key=key_of(upload.pk),
                UploadId=MultipartUpload.objects.get().multipart_id,
                PartNumber=1,
                Body=bytes(CHUNK),
            )

        answer = self.complete_after(as_alice, upload, overwrite)
        # This server still has the first one under its tag; one that has not answers as in the test before.
        assert answer.json()["complete"] is True
        assert FileRecord.objects.get(pk=upload.pk).sha256 == sha256(CONTENT)

    def test_an_object_that_vanished_before_it_was_verified_is_noticed(self, s3: S3Server, alice: User) -> None:
        upload = opened(alice)
        with transaction.atomic():
            chosen().write(upload, 0, io.BytesIO(CONTENT), len(CONTENT))
        with transaction.atomic(), chosen().whole(upload):
            pass
        s3.empty()
        with pytest.raises(UploadBytesLost), transaction.atomic(), chosen().whole(upload):
            pass

    @pytest.mark.django_db(transaction=True)
    def test_a_damaged_object_fails_the_file_with_a_reason(
        self, s3: S3Server, alice: User, make_file: Callable[..., FileRecord]
    ) -> None:
        file = make_file(alice, b"precious words")
        s3.client().put_object(Bucket=BUCKET, Key=file.storage_key, Body=b"precious worms")
        assert pipeline.work("test")
        file.refresh_from_db()
        assert (file.status, file.error_code) == (FileStatus.FAILED, BytesDamaged.code)
        assert not list(scratch_dir().iterdir())


class TestLitter:
    def litter(self, s3: S3Server, upload: Upload) -> None:
        """What a process leaves that dies between the server's answer and its commit."""
        s3.client().create_multipart_upload(Bucket=BUCKET, Key=key_of(upload.pk))
        s3.client().put_object(Bucket=BUCKET, Key=f"incoming/{upload.pk}/0-never-recorded", Body=b"x")

    def test_what_no_row_speaks_of_is_removed_and_what_is_acknowledged_stays(
        self, s3: S3Server, as_alice: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload, small = opened(alice), opened(alice, chunk_size=MIB)
        send(as_alice, upload, 0)
        send(as_alice, small, 0)
        kept = MultipartUpload.objects.get(upload=upload).multipart_id
        self.litter(s3, upload)
        monkeypatch.setattr(expiry, "_DAY", -60)

        expiry.expire()

        listed = s3.client().list_multipart_uploads(Bucket=BUCKET)["Uploads"]
        assert [entry["UploadId"] for entry in listed] == [kept]
        assert s3.stored_keys() == [UploadPiece.objects.get(part=None).mark]
        for index in (1, 2):
            answer = send(as_alice, upload, index)
        assert answer.json()["complete"] is True


def _options(**changed: Any) -> Callable[[S3Server, Any, pytest.MonkeyPatch], None]:
    def change(s3: S3Server, settings: Any, patch: pytest.MonkeyPatch) -> None:
        settings.FILE_STORAGES = s3.storages(**changed)

    return change


def _clock_two_hours_late(s3: S3Server, settings: Any, patch: pytest.MonkeyPatch) -> None:
    now = botocore.auth.get_current_datetime

    def late(**more: Any) -> datetime:
        told: datetime = now(**more)
        return told - timedelta(hours=2)

    patch.setattr(botocore.auth, "get_current_datetime", late)


@pytest.mark.parametrize(
    ("wrong", "kind", "remedy"),
    [
        (_options(secret_key="not it"), StorageDenied, "S3_SECRET_KEY"),
        (_options(access_key="nobody"), StorageDenied, "S3_ACCESS_KEY"),
        (_options(bucket="no-such-bucket"), BucketMissing, "S3_BUCKET"),
        (_options(endpoint_url="http://127.0.0.1:9"), StorageUnavailable, "S3_ENDPOINT_URL"),
        (_clock_two_hours_late, StorageClockWrong, "time service"),
    ],
)
@pytest.mark.usefixtures("db")
def test_what_is_wrong_with_the_server_is_told_with_a_remedy(
    s3: S3Server, settings: Any, wrong: Any, kind: type[RemoteStorageError], remedy: str
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        wrong(s3, settings, patched)
        outcome = chosen().check()
    assert not outcome.ok
    assert kind.default_message in outcome.message
    assert remedy in outcome.remedy


def test_a_refused_signature_acknowledges_nothing_and_the_upload_goes_on_later(
    s3: S3Server, settings: Any, as_alice: APIClient, alice: User
) -> None:
    upload = opened(alice)
    settings.FILE_STORAGES = s3.storages(secret_key="not it")
    refused = error_of(send(as_alice, upload, 0), 503)
    assert refused["code"] == "storage_denied"
    assert "not it" not in str(refused)
    assert not UploadChunk.objects.exists()

    settings.FILE_STORAGES = s3.storages()
    answers = [send(as_alice, upload, index).json() for index in range(3)]
    assert answers[-1]["complete"] is True


@pytest.mark.timeout(400)
@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_killed_costs_a_wait_and_no_byte(
    s3: S3Server, as_alice: APIClient, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    waiting = make_file(alice, b"The harbour opens before sunrise.", name="waiting.txt")
    upload = opened(alice)
    assert send(as_alice, upload, 0).status_code == 200
    with s3.away():
        assert error_of(send(as_alice, upload, 1), 503)["code"] == "storage_unavailable"
        assert pipeline.work("test")
        job = ProcessingJob.objects.get(file=waiting)
        assert (job.state, job.failures) == ("queued", 0), "the file is not at fault, and costs no attempt"

    answers = [send(as_alice, upload, index).json() for index in (1, 2)]
    assert answers[-1]["complete"] is True
    assert FileRecord.objects.get(pk=upload.pk).sha256 == sha256(CONTENT)
    ProcessingJob.objects.update(available_at="2020-01-01T00:00Z")
    while pipeline.work("test"):
        pass
    waiting.refresh_from_db()
    assert waiting.status == FileStatus.READY


def test_deleting_while_the_server_is_away_leaves_litter_and_no_error(
    s3: S3Server, settings: Any, db: None, alice: User
) -> None:
    upload = opened(alice)
    with transaction.atomic():
        chosen().write(upload, 0, io.BytesIO(CONTENT), len(CONTENT))
    settings.FILE_STORAGES = s3.storages(endpoint_url="http://127.0.0.1:9")
    chosen().forget(upload.pk)

    settings.FILE_STORAGES = s3.storages()
    chosen().forget(upload.pk)
    assert list(chosen().stored_before(time.time() + 60)) == []
