"""`manage.py move_storage`: verified, resumable, and readable at every moment."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from files import pipeline, uploads
from files.models import FileRecord, ProcessingJob
from files.storage import file_storages, storage_of
from files.storage.local import path_of
from orchestra.accounts.models import User
from tests.s3_server import BUCKET, S3Server

CONTENTS = [b"", b"small", bytes(range(256)) * 40_000]


@pytest.fixture
def files(s3_server: S3Server, settings: Any, alice: User, make_file: Callable[..., FileRecord]) -> list[FileRecord]:
    """Files on the disk, and an empty bucket as another storage."""
    s3_server.empty()
    settings.FILE_STORAGES = s3_server.storages()
    return [make_file(alice, content, name=f"{index}.bin") for index, content in enumerate(CONTENTS)]


def move(to: str) -> str:
    out = StringIO()
    call_command("move_storage", "--to", to, stdout=out, stderr=out)
    return out.getvalue()


def contents(files: list[FileRecord]) -> list[bytes]:
    for file in files:
        file.refresh_from_db()
    return [b"".join(storage_of(file).read(file.storage_key, 0, file.size)) for file in files]


def test_files_go_there_and_back_again(files: list[FileRecord], s3_server: S3Server) -> None:
    assert "3 files were moved to s3; 0 are elsewhere." in move("s3")
    assert contents(files) == CONTENTS
    assert {file.storage for file in files} == {"s3"}
    assert sorted(s3_server.stored_keys()) == sorted(file.storage_key for file in files)
    assert not any(path_of(file.storage_key).exists() for file in files)

    assert "set FILE_STORAGE" not in move("local")
    assert contents(files) == CONTENTS
    assert {file.storage for file in files} == {"local"}
    assert s3_server.stored_keys() == []


def test_new_files_are_told_to_go_elsewhere(files: list[FileRecord]) -> None:
    assert "set FILE_STORAGE=s3 and restart" in move("s3")


def test_a_damaged_file_is_named_and_the_others_are_moved(files: list[FileRecord]) -> None:
    path_of(files[1].storage_key).write_bytes(b"smell")
    with pytest.raises(CommandError, match="Run it again"):
        move("s3")
    for file in files:
        file.refresh_from_db()
    assert [file.storage for file in files] == ["s3", "local", "s3"]
    assert path_of(files[1].storage_key).exists(), "what cannot be copied is not removed"


def test_a_copy_that_a_killed_run_left_is_verified_before_it_is_trusted(
    files: list[FileRecord], s3_server: S3Server
) -> None:
    key = files[1].storage_key
    s3_server.client().put_object(Bucket=BUCKET, Key=key, Body=b"wrong")
    move("s3")
    assert contents(files) == CONTENTS


def test_a_file_that_a_worker_reads_stays_until_it_is_done(files: list[FileRecord]) -> None:
    ProcessingJob.objects.filter(file=files[2]).update(state="running")
    with pytest.raises(CommandError):
        move("s3")
    assert contents(files) == CONTENTS
    assert files[2].storage == "local"
    ProcessingJob.objects.filter(file=files[2]).update(state="queued")
    move("s3")
    assert contents(files) == CONTENTS


@pytest.mark.django_db(transaction=True)
def test_an_upload_under_way_ends_where_it_began(files: list[FileRecord], alice: User, settings: Any) -> None:
    from io import BytesIO

    upload = uploads.initiate(alice, uploads.NewUpload("late.txt", 4)).upload
    settings.FILE_STORAGE = "s3"
    state = uploads.receive_chunk(upload, uploads.ChunkRange(0, 3, 4), BytesIO(b"late"))
    assert (state.complete, state.file.storage) == (True, "local")
    assert file_storages["local"].size_of(state.file.storage_key) == 4
    move("s3")
    while pipeline.work("test"):
        pass
    state.file.refresh_from_db()
    assert (state.file.storage, state.file.status) == ("s3", "ready")


def test_an_unknown_storage_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        move("tape")
