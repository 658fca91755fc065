"""What every storage of bytes promises. A test class inherits this and gives the fixture `store`."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from files import expiry, pipeline, services, uploads
from files.errors import BytesMissing
from files.models import FileRecord, FileStatus, Upload
from files.storage import FileStorage, file_storages, key_of
from orchestra.accounts.models import User
from tests.conftest import sha256

MakeFile = Callable[..., FileRecord]

MIB = 1024**2
CHUNK = 64 * 1024
CONTENT = random.Random(7).randbytes(5 * MIB + 3 * CHUNK + 1234)
"""More than the least part of a multipart upload, and no multiple of anything."""


def chunks(content: bytes, size: int) -> list[tuple[int, bytes]]:
    """Return pieces of `size` bytes with their offsets."""
    return [(start, content[start : start + size]) for start in range(0, len(content), size)]


class FileStorageContract:
    """Promises of `files.storage.base.FileStorage`."""

    @pytest.fixture
    def store(self) -> FileStorage:
        """The storage that new files go to, empty."""
        raise NotImplementedError

    @pytest.fixture
    def open_upload(self, alice: User, store: FileStorage) -> Callable[..., Upload]:
        def opened(size: int = len(CONTENT), chunk_size: int = CHUNK) -> Upload:
            return uploads.initiate(alice, uploads.NewUpload("data.bin", size, chunk_size=chunk_size)).upload

        return opened

    def write(self, store: FileStorage, upload: Upload, offset: int, data: bytes) -> None:
        with transaction.atomic():
            store.write(upload, offset, io.BytesIO(data), len(data))

    def finished(self, store: FileStorage, upload: Upload, content: bytes = CONTENT) -> str:
        for offset, data in chunks(content, upload.chunk_size):
            self.write(store, upload, offset, data)
        key = key_of(upload.pk)
        with transaction.atomic():
            with store.whole(upload) as whole:
                assert whole.sha256 == sha256(content)
            store.keep(upload, key)
        return key

    @pytest.mark.parametrize("chunk_size", [CHUNK, 3 * MIB, 8 * MIB])
    def test_pieces_in_any_order_become_the_whole(
        self, store: FileStorage, open_upload: Callable[..., Upload], chunk_size: int
    ) -> None:
        upload = open_upload(chunk_size=chunk_size)
        pieces = chunks(CONTENT, chunk_size)
        random.Random(3).shuffle(pieces)

        for offset, data in pieces:
            self.write(store, upload, offset, data)

        with transaction.atomic(), store.whole(upload) as whole:
            assert whole.sha256 == sha256(CONTENT)
            assert whole.path.read_bytes() == CONTENT

    def test_pieces_of_any_length_become_the_whole(
        self, store: FileStorage, open_upload: Callable[..., Upload]
    ) -> None:
        upload = open_upload(chunk_size=2 * MIB)
        lengths, offset = random.Random(5), 0
        while offset < len(CONTENT):
            data = CONTENT[offset : offset + lengths.randint(1, 2 * MIB)]
            self.write(store, upload, offset, data)
            offset += len(data)

        with transaction.atomic(), store.whole(upload) as whole:
            assert whole.path.read_bytes() == CONTENT

    def test_a_write_that_was_rolled_back_counts_for_nothing(
        self, store: FileStorage, open_upload: Callable[..., Upload]
    ) -> None:
        upload = open_upload(size=CHUNK)
        with transaction.atomic():
            store.write(upload, 0, io.BytesIO(bytes(CHUNK)), CHUNK)
            transaction.set_rollback(True)

        self.finished(store, upload, CONTENT[:CHUNK])

    def test_what_was_kept_is_whole_still_when_the_commit_did_not_come(
        self, store: FileStorage, open_upload: Callable[..., Upload]
    ) -> None:
        upload = open_upload()
        for offset, data in chunks(CONTENT, 8 * MIB):
            self.write(store, upload, offset, data)
        with transaction.atomic():
            with store.whole(upload):
                pass
            store.keep(upload, key_of(upload.pk))
            transaction.set_rollback(True)

        with transaction.atomic():
            with store.whole(upload) as whole:
                assert whole.sha256 == sha256(CONTENT)
            store.keep(upload, key_of(upload.pk))
        assert b"".join(store.read(key_of(upload.pk), 0, len(CONTENT))) == CONTENT

    def test_what_was_discarded_may_be_written_anew(
        self, store: FileStorage, open_upload: Callable[..., Upload]
    ) -> None:
        upload = open_upload()
        self.write(store, upload, 0, bytes(len(CONTENT)))
        with transaction.atomic():
            with store.whole(upload) as whole:
                assert whole.sha256 == sha256(bytes(len(CONTENT)))
            store.discard(upload)

        self.finished(store, upload)

    def test_an_empty_file_is_a_file(self, store: FileStorage, alice: User) -> None:
        file = uploads.initiate(alice, uploads.NewUpload("empty", 0)).file
        assert store.size_of(file.storage_key) == 0
        assert b"".join(store.read(file.storage_key, 0, 0)) == b""

    def test_ranges_come_piece_by_piece(self, store: FileStorage, open_upload: Callable[..., Upload]) -> None:
        key = self.finished(store, open_upload())
        assert store.size_of(key) == len(CONTENT)
        for start, count in ((0, len(CONTENT)), (0, 1), (len(CONTENT) - 5, 5), (3 * MIB - 7, 2 * MIB)):
            pieces = list(store.read(key, start, count))
            assert b"".join(pieces) == CONTENT[start : start + count]
            assert max(map(len, pieces)) <= MIB
            assert all(pieces), "an empty piece would end a download"

    def test_a_path_holds_the_bytes_while_it_is_used(
        self, store: FileStorage, open_upload: Callable[..., Upload]
    ) -> None:
        key = self.finished(store, open_upload())
        with store.local(key, sha256(CONTENT)) as path:
            assert path.read_bytes() == CONTENT

    def test_missing_bytes_are_told(self, store: FileStorage, db: None) -> None:
        key = "files/00/00000000-0000-0000-0000-000000000000"
        assert store.size_of(key) is None
        with pytest.raises(BytesMissing):
            next(store.read(key, 0, 1))
        with pytest.raises(BytesMissing), store.local(key):
            pass

    def test_forgetting_leaves_nothing(self, store: FileStorage, open_upload: Callable[..., Upload]) -> None:
        finished, under_way = open_upload(), open_upload(chunk_size=8 * MIB)
        key = self.finished(store, finished)
        self.write(store, under_way, 0, CONTENT[:CHUNK])

        for upload in (finished, under_way):
            store.forget(upload.pk)
            store.forget(upload.pk)

        assert store.size_of(key) is None
        assert list(store.stored_before(time.time() + 60)) == []

    def test_a_copy_is_put_whole(self, store: FileStorage, tmp_path: Path, db: None) -> None:
        source, key = tmp_path / "copy", "files/aa/00000000-0000-0000-0000-0000000000aa"
        source.write_bytes(CONTENT)
        store.put(key, source)
        store.put(key, source)
        assert b"".join(store.read(key, 0, len(CONTENT))) == CONTENT

    @pytest.mark.django_db(transaction=True)
    def test_old_bytes_are_listed_and_fresh_ones_are_not(
        self, store: FileStorage, open_upload: Callable[..., Upload]
    ) -> None:
        upload = open_upload()
        key = self.finished(store, upload)
        assert list(store.stored_before(time.time() - 60)) == []

        stored = list(store.stored_before(time.time() + 60))

        assert [entry.file_id for entry in stored] == [upload.pk]
        stored[0].remove()
        assert store.size_of(key) is None

    def test_the_check_passes_and_leaves_nothing(self, store: FileStorage, db: None) -> None:
        outcome = store.check()
        assert outcome.ok, outcome
        assert list(store.stored_before(time.time() + 60)) == []

    def test_a_file_goes_all_the_way(self, store: FileStorage, as_alice: APIClient, make_file: MakeFile) -> None:
        text = b"The zebrafish habitat is warm and slow. " * 5000
        alice = User.objects.get(username="alice")
        file = make_file(alice, text, name="fish.txt", chunk_size=CHUNK, sha256=sha256(text))
        assert pipeline.work("test")
        file.refresh_from_db()
        assert file.status == FileStatus.READY, file.error_message
        assert file_storages[file.storage] is store

        whole = as_alice.get(f"/api/files/{file.pk}/download")
        part = as_alice.get(f"/api/files/{file.pk}/download", headers={"Range": "bytes=5-14"})

        assert _body(whole) == text
        assert (part.status_code, _body(part)) == (206, text[5:15])

    def test_a_wrong_digest_lets_the_same_upload_be_sent_again(
        self, store: FileStorage, as_alice: APIClient, open_upload: Callable[..., Upload]
    ) -> None:
        content = CONTENT[: 2 * CHUNK]
        body = {"name": "data.bin", "size": len(content), "chunk_size": CHUNK, "sha256": sha256(content)}
        upload_id = as_alice.post("/api/files/upload/initiate", body).json()["id"]
        damaged = content[:-1] + bytes([content[-1] ^ 1])

        answers = [_send(as_alice, upload_id, content, index) for content in (damaged, content) for index in (0, 1)]

        assert [answer.status_code for answer in answers] == [200, 460, 200, 200]
        assert answers[-1].json()["complete"] is True
        file = FileRecord.objects.get(pk=upload_id)
        assert b"".join(store.read(file.storage_key, 0, file.size)) == content

    @pytest.mark.django_db(transaction=True)
    def test_an_expired_upload_gives_its_bytes_back(
        self, store: FileStorage, open_upload: Callable[..., Upload]
    ) -> None:
        upload = open_upload()
        self.write(store, upload, 0, CONTENT[:CHUNK])
        self.write(store, upload, CHUNK, CONTENT[CHUNK:])
        Upload.objects.update(expires_at="2020-01-01T00:00Z")

        expiry.expire()

        assert not FileRecord.objects.exists()
        assert list(store.stored_before(time.time() + 60)) == []

    @pytest.mark.django_db(transaction=True)
    def test_deleted_files_leave_no_byte(self, store: FileStorage, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice, CONTENT, name="gone.bin")
        services.delete_completely(file)
        assert list(store.stored_before(time.time() + 60)) == []


def _send(client: APIClient, upload_id: str, content: bytes, index: int) -> Any:
    part = content[index * CHUNK : (index + 1) * CHUNK]
    first = index * CHUNK
    headers = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(content)}"}
    return client.put(f"/api/files/{upload_id}/upload", part, content_type="application/octet-stream", headers=headers)


def _body(response: Any) -> bytes:
    pieces: Iterator[bytes] = response.streaming_content
    return b"".join(pieces)
