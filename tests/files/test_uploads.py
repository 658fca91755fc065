"""The chunk API: any order, repeated, damaged, conflicting, too much, twice."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from files import uploads
from files.models import FileEvent, FileRecord, FileStatus, ProcessingJob, Upload, UploadChunk
from files.storage.local import LocalStorage, part_path, path_of
from orchestra.accounts.models import User
from orchestra.common.identifiers import new_id
from tests.conftest import sha256

CHUNK = 64 * 1024
CONTENT = random.Random(1).randbytes(3 * CHUNK + 1234)


def initiate(client: APIClient, content: bytes = CONTENT, **more: Any) -> Any:
    body = {"name": "data.bin", "size": len(content), "chunk_size": CHUNK, **more}
    response = client.post("/api/files/upload/initiate", body)
    assert response.status_code in (200, 201), response.content
    return response.json()


def send(
    client: APIClient, file_id: str, index: int, content: bytes = CONTENT, headers: dict[str, str] | None = None
) -> Any:
    start = index * CHUNK
    part = content[start : start + CHUNK]
    headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"} | (headers or {})
    return client.put(f"/api/files/{file_id}/upload", part, content_type="application/octet-stream", headers=headers)


def error_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_shuffled_and_repeated_chunks_become_one_file_and_one_job(as_alice: APIClient) -> None:
    upload = initiate(as_alice, sha256=sha256(CONTENT))
    order = [2, 0, 2, 3, 0, 1]
    answers = [send(as_alice, upload["id"], index).json() for index in order]

    assert [answer["complete"] for answer in answers] == [False] * 5 + [True]
    file = FileRecord.objects.get()
    assert (file.status, file.sha256) == (FileStatus.QUEUED, sha256(CONTENT))
    assert path_of(file.storage_key).read_bytes() == CONTENT
    assert ProcessingJob.objects.filter(file=file).count() == 1
    assert send(as_alice, upload["id"], 1).json()["complete"] is True, "a late repeat is harmless"


def test_status_lists_exactly_the_received_ranges(as_alice: APIClient) -> None:
    upload = initiate(as_alice)
    send(as_alice, upload["id"], 0)
    send(as_alice, upload["id"], 3)

    response = as_alice.get(f"/api/files/{upload['id']}/status")

    assert response["Cache-Control"] == "no-store"
    assert response.json()["upload"]["received"] == [[0, CHUNK], [3 * CHUNK, len(CONTENT)]]


def test_damaged_chunk_is_refused_and_nothing_moves(as_alice: APIClient) -> None:
    upload = initiate(as_alice)

    response = send(as_alice, upload["id"], 0, headers={"X-Chunk-SHA256": sha256(b"something else")})

    assert error_of(response) == (460, "chunk_checksum_mismatch")
    assert not UploadChunk.objects.exists()


@pytest.mark.parametrize(("index", "wrong"), [(0, -1), (0, 1)])
def test_short_and_long_bodies_are_refused(as_alice: APIClient, index: int, wrong: int) -> None:
    upload = initiate(as_alice)
    body = CONTENT[:CHUNK][:wrong] if wrong < 0 else CONTENT[: CHUNK + wrong]

    response = as_alice.put(
        f"/api/files/{upload['id']}/upload",
        body,
        content_type="application/octet-stream",
        headers={"Content-Range": f"bytes 0-{CHUNK - 1}/{len(CONTENT)}"},
    )

    assert error_of(response) == (400, "chunk_incomplete")
    assert not UploadChunk.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes 0-65535/*",
        "bytes 1-65536/197842",
        "bytes 0-10/197842",
        "bytes 0-65535/5",
        "bytes 9-3/197842",
    ],
)
def test_ranges_off_the_grid_are_refused(as_alice: APIClient, header: str) -> None:
    upload = initiate(as_alice)
    response = send(as_alice, upload["id"], 0, headers={"Content-Range": header})
    assert error_of(response) == (400, "content_range_invalid")


def test_other_bytes_for_an_accepted_chunk_conflict_and_the_accepted_stay(as_alice: APIClient) -> None:
    upload = initiate(as_alice)
    send(as_alice, upload["id"], 0)
    other = bytes(len(CONTENT))

    assert error_of(send(as_alice, upload["id"], 0, other)) == (409, "chunk_conflict")
    for index in (1, 2, 3):
        send(as_alice, upload["id"], index)
    assert FileRecord.objects.get().sha256 == sha256(CONTENT)


def test_wrong_whole_digest_moves_nothing_and_allows_another_try(as_alice: APIClient) -> None:
    upload = initiate(as_alice, sha256=sha256(CONTENT))
    damaged = CONTENT[:-1] + b"?"
    for index in range(3):
        send(as_alice, upload["id"], index, damaged)

    assert error_of(send(as_alice, upload["id"], 3, damaged)) == (460, "upload_checksum_mismatch")
    assert FileRecord.objects.get().status == FileStatus.UPLOADING
    assert not ProcessingJob.objects.exists()

    for index in range(4):
        answer = send(as_alice, upload["id"], index)
    assert answer.json()["complete"] is True


def test_known_digest_answers_with_the_existing_file_before_any_byte(as_alice: APIClient) -> None:
    first = initiate(as_alice, sha256=sha256(CONTENT))
    for index in range(4):
        send(as_alice, first["id"], index)

    again = initiate(as_alice, sha256=sha256(CONTENT), name="copy.bin")

    assert (again["id"], again["duplicate"], again["complete"]) == (first["id"], True, True)
    assert FileRecord.objects.count() == ProcessingJob.objects.count() == 1


def test_same_content_without_digest_ends_as_the_existing_file(as_alice: APIClient) -> None:
    first = initiate(as_alice)
    second = initiate(as_alice, name="copy.bin")
    for upload in (first, second):
        for index in range(4):
            answer = send(as_alice, upload["id"], index).json()

    assert (answer["id"], answer["duplicate"]) == (first["id"], True)
    assert FileRecord.objects.count() == ProcessingJob.objects.count() == 1
    assert as_alice.get(f"/api/files/{second['id']}/status").json()["id"] == first["id"]


@pytest.mark.parametrize("with_digest", [True, False])
def test_a_failed_file_is_read_again_when_it_is_uploaded_again(as_alice: APIClient, with_digest: bool) -> None:
    first = initiate(as_alice, sha256=sha256(CONTENT))
    for index in range(4):
        send(as_alice, first["id"], index)
    FileRecord.objects.update(status=FileStatus.FAILED, error_code="unsupported_format")
    ProcessingJob.objects.update(state="done")

    again = initiate(as_alice, name="copy.bin", sha256=sha256(CONTENT) if with_digest else "")
    for index in range(0 if with_digest else 4):
        send(as_alice, again["id"], index)

    file = FileRecord.objects.get()
    assert (str(file.pk), file.status, file.error_code) == (first["id"], FileStatus.QUEUED, "")
    assert ProcessingJob.objects.get().state == "queued"


def test_users_may_have_the_same_content_each(as_alice: APIClient, as_bob: APIClient) -> None:
    for client in (as_alice, as_bob):
        upload = initiate(client, sha256=sha256(CONTENT))
        assert upload["duplicate"] is False
        for index in range(4):
            send(client, upload["id"], index)
    assert FileRecord.objects.filter(sha256=sha256(CONTENT)).count() == 2


def test_unfinished_upload_of_known_digest_is_continued(as_alice: APIClient) -> None:
    first = initiate(as_alice, sha256=sha256(CONTENT))
    send(as_alice, first["id"], 1)

    again = initiate(as_alice, sha256=sha256(CONTENT))

    assert (again["id"], again["received"]) == (first["id"], [[CHUNK, 2 * CHUNK]])


def test_too_large_is_refused_before_the_bytes(as_alice: APIClient, settings: Any) -> None:
    settings.MAX_FILE_SIZE = 1000
    response = as_alice.post("/api/files/upload/initiate", {"name": "big", "size": 1001})
    assert error_of(response) == (413, "file_too_large")


def test_quota_counts_reserved_uploads(as_alice: APIClient, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(storage_quota=len(CONTENT) + 10)
    alice.refresh_from_db()
    initiate(as_alice)
    response = as_alice.post("/api/files/upload/initiate", {"name": "more", "size": 11})
    assert error_of(response) == (507, "quota_exceeded")


def test_full_disk_is_refused_before_the_bytes(as_alice: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalStorage, "free_bytes", lambda _: 10)
    response = as_alice.post("/api/files/upload/initiate", {"name": "big", "size": 11})
    assert error_of(response) == (507, "disk_full")


def test_full_disk_during_a_chunk_keeps_the_upload_usable(as_alice: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = initiate(as_alice)

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("files.storage.local.shutil.copyfileobj", no_space)
        assert error_of(send(as_alice, upload["id"], 0)) == (507, "disk_full")
    assert not UploadChunk.objects.exists()
    assert send(as_alice, upload["id"], 0).status_code == 200


def test_one_request_upload_takes_small_files_and_empty_ones(as_alice: APIClient, tmp_path: Path) -> None:
    for name, content in (("a.txt", b"hello"), ("empty.txt", b"")):
        path = tmp_path / name
        path.write_bytes(content)
        with path.open("rb") as stream:
            response = as_alice.post("/api/files/upload", {"file": stream, "tags": ["x"]}, format="multipart")
        assert response.status_code == 201, response.content
        assert response.json()["complete"] is True
    assert FileRecord.objects.filter(status=FileStatus.QUEUED, tags=["x"]).count() == 2


def test_completion_survives_a_crash_between_move_and_commit(
    alice: User, make_file: Callable[..., FileRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies_after_the_move(store: LocalStorage, upload: Upload, key: str) -> None:
        keep(store, upload, key)
        raise KeyboardInterrupt

    keep = LocalStorage.keep
    with monkeypatch.context() as patched:
        patched.setattr(LocalStorage, "keep", dies_after_the_move)
        with pytest.raises(KeyboardInterrupt):
            make_file(alice, b"precious")
    upload = Upload.objects.get()
    assert upload.completed_at is None

    state = uploads.complete(upload.pk)

    assert state.complete
    assert path_of(state.file.storage_key).read_bytes() == b"precious"


@pytest.mark.django_db(transaction=True)
def test_expired_upload_is_gone_and_its_bytes_come_back(as_alice: APIClient, upload_dir: Path) -> None:
    upload = initiate(as_alice)
    send(as_alice, upload["id"], 0)
    Upload.objects.update(expires_at="2020-01-01T00:00Z")

    assert error_of(send(as_alice, upload["id"], 1)) == (410, "upload_expired")
    assert uploads.expire() == 1
    assert not FileRecord.objects.exists()
    assert not list((upload_dir / "incoming").iterdir())


def test_bytes_that_lost_their_row_are_removed_and_no_others(
    alice: User, make_file: Callable[..., FileRecord], upload_dir: Path
) -> None:
    kept, lost = make_file(alice, b"kept"), make_file(alice, b"lost")
    fresh = part_path(new_id())
    fresh.write_bytes(b"an upload whose transaction is still open")
    for file in (kept, lost):
        os.utime(path_of(file.storage_key), (0, 0))
    FileRecord.objects.filter(pk=lost.pk).delete()

    uploads.expire()

    assert path_of(kept.storage_key).exists()
    assert not path_of(lost.storage_key).exists()
    assert fresh.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("\u202efdp.exe", "fdp.exe"),
        ("a\tb\r\n.txt", "ab.txt"),
        ("..", "unnamed"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_names_are_data_and_never_paths(as_alice: APIClient, given: str, kept: str) -> None:
    assert initiate(as_alice, name=given)["name"] == kept


def test_a_wrong_ending_is_told_in_the_timeline(make_file: Callable[..., FileRecord], alice: User) -> None:
    file = make_file(alice, b"<!doctype html><title>t</title><p>words</p>", "report.pdf")
    assert file.media_type == "text/html"
    messages = list(FileEvent.objects.filter(file=file).values_list("message", flat=True))
    assert any("The name ends in .pdf, but the content is: web page (HTML)" in message for message in messages)
