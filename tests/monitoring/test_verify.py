"""Each invariant is broken by hand, found, and where that can be done, put right."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from files import pipeline, uploads
from files.models import FileRecord, FileSegment, JobState, ProcessingJob, Upload, UploadChunk
from files.storage import key_of, local
from files.uploads import ChunkRange, NewUpload
from orchestra.accounts.models import User
from orchestra.monitoring.verification import invariants

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_redis")]

Break = Callable[[FileRecord], object]
TEXT = "The harbour opens before sunrise, says the pilot. " * 60
LONG_AGO = timedelta(hours=2)


def verify(*arguments: str) -> dict[str, Any]:
    """Run the command; return its findings by code."""
    out = StringIO()
    try:
        call_command("verify", *arguments, "--json", stdout=out)
    except CommandError:
        assert any(finding["left"] for finding in json.loads(out.getvalue())["findings"])
    return {finding["code"]: finding for finding in json.loads(out.getvalue())["findings"]}


@pytest.fixture
def ready(alice: User, make_file: Callable[..., FileRecord]) -> FileRecord:
    """A file that can be found, and beside it one that is being uploaded."""
    file = make_file(alice, TEXT.encode())
    assert pipeline.work("w")
    file.refresh_from_db()
    assert file.status == "ready"
    state = uploads.initiate(alice, NewUpload("half.bin", 128 * 1024, chunk_size=64 * 1024))
    part = ChunkRange(0, 64 * 1024 - 1, 128 * 1024)
    uploads.receive_chunk(state.upload, part, BytesIO(os.urandom(64 * 1024)))
    return file


def _job(file: FileRecord, **changes: object) -> bool:
    return ProcessingJob.objects.filter(file=file).update(**changes) == 1


def _row(file: FileRecord, **changes: object) -> bool:
    return FileRecord.objects.filter(pk=file.pk).update(**changes) == 1


def _queued_without_job(file: FileRecord) -> None:
    _row(file, status="queued")


def _queued_without_any_job(file: FileRecord) -> None:
    _row(file, status="queued")
    ProcessingJob.objects.filter(file=file).delete()


def _waiting_unannounced(file: FileRecord) -> None:
    from celery_app import app

    _row(file, status="queued")
    _job(file, state=JobState.QUEUED, available_at=timezone.now() - LONG_AGO)
    app.control.purge()


def _running(file: FileRecord, lease: timedelta | None) -> bool:
    _row(file, status="processing")
    return _job(file, state=JobState.RUNNING, lease_until=lease and timezone.now() + lease)


def _segment_too_many(file: FileRecord) -> None:
    FileSegment.objects.create(file=file, generation=file.generation + 1, ordinal=0, kind="text", text="x")


def _bytes(file: FileRecord, content: bytes | None) -> None:
    path = local.path_of(file.storage_key)
    path.unlink()
    if content is not None:
        path.write_bytes(content)


def _litter(_: FileRecord) -> None:
    path = local.path_of(key_of(uuid4()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"nobody's")
    old = (timezone.now() - LONG_AGO).timestamp()
    os.utime(path, (old, old))


def _lost_chunk(_: FileRecord) -> None:
    upload = Upload.objects.get(completed_at=None)
    local.part_path(upload.pk).write_bytes(bytes(64 * 1024))


def _no_upload(_: FileRecord) -> None:
    upload = Upload.objects.get(completed_at=None)
    UploadChunk.objects.all().delete()
    Upload.objects.filter(pk=upload.pk).delete()


def _upload_of_a_whole_file(file: FileRecord) -> None:
    until = timezone.now() + LONG_AGO
    Upload.objects.create(id=uuid4(), owner=file.owner, file=file, size=9, chunk_size=65536, expires_at=until)


def _sql(statement: str) -> Break:
    def run(file: FileRecord) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"file": file.pk})
            assert cursor.rowcount > 0

    return run


_DOCUMENT = "(SELECT number FROM search_indexedfile WHERE file_id = %(file)s)"

BROKEN: list[tuple[str, Break]] = [
    ("jobs_missing", _queued_without_job),
    ("jobs_missing", _queued_without_any_job),
    ("jobs_at_odds", lambda file: _job(file, state=JobState.QUEUED)),
    ("jobs_at_odds", lambda file: (_row(file, status="processing"), _job(file, state=JobState.QUEUED))),
    ("jobs_at_odds", lambda file: (_running(file, LONG_AGO), _row(file, status="queued"))),
    ("jobs_without_lease", lambda file: _running(file, None)),
    ("jobs_without_lease", lambda file: _running(file, -LONG_AGO)),
    ("jobs_without_hint", _waiting_unannounced),
    ("failures_without_reason", lambda file: _row(file, status="failed")),
    ("uploads_at_odds", _no_upload),
    ("uploads_at_odds", _upload_of_a_whole_file),
    ("segments_incomplete", _sql("DELETE FROM files_filesegment WHERE file_id = %(file)s")),
    ("segments_incomplete", _sql("UPDATE files_filesegment SET ordinal = ordinal + 1000 WHERE file_id = %(file)s")),
    ("segments_left_over", _segment_too_many),
    ("versions_falling", lambda file: _row(file, version=1)),
    ("bytes_missing", lambda file: _bytes(file, None)),
    ("bytes_missing", lambda file: _bytes(file, b"short")),
    ("bytes_damaged", lambda file: _bytes(file, b"x" * file.size)),
    ("bytes_without_row", _litter),
    ("chunks_without_bytes", _lost_chunk),
    ("texts_differing", _sql("UPDATE files_filerecord SET character_count = 7 WHERE id = %(file)s")),
    ("index_missing", _sql("UPDATE files_filerecord SET chunk_count = 99 WHERE id = %(file)s")),
    ("passages_incomplete", _sql("DELETE FROM search_vectorchunk WHERE file_id = %(file)s AND ordinal = 1")),
    ("passages_incomplete", _sql("UPDATE search_vectorchunk SET generation = 9 WHERE file_id = %(file)s")),
    ("vectors_incomplete", _sql(f"DELETE FROM search_chunkembedding WHERE document_id = {_DOCUMENT} AND ordinal = 1")),
    (
        "vectors_misshapen",
        _sql(f"UPDATE search_chunkembedding SET embedding = '[1,2,3]' WHERE document_id = {_DOCUMENT}"),
    ),
    ("words_missing", _sql(f"DELETE FROM search_keywordposting WHERE document_id = {_DOCUMENT}")),
    (
        "disabled_searched",
        _sql("UPDATE search_vectorchunk SET disabled = true WHERE file_id = %(file)s AND ordinal = 1"),
    ),
    ("disabled_searched", _sql("UPDATE search_indexedfile SET disabled_count = 1 WHERE file_id = %(file)s")),
    (
        "owners_at_odds",
        _sql("UPDATE search_vectorchunk SET owner_id = (SELECT id FROM accounts_user WHERE username = 'bob')"),
    ),
    ("trash_searched", _sql("UPDATE files_filerecord SET trashed_at = now() WHERE id = %(file)s")),
    ("passages_without_document", _sql("DELETE FROM search_indexedfile WHERE file_id = %(file)s")),
    ("vectors_without_document", _sql("DELETE FROM search_indexedfile WHERE file_id = %(file)s")),
    ("words_without_document", _sql("DELETE FROM search_indexedfile WHERE file_id = %(file)s")),
]
IRREPARABLE = {"bytes_missing", "bytes_damaged"}


def test_every_invariant_is_broken_here() -> None:
    assert {code for code, _ in BROKEN} == set(invariants.codes())


def test_what_is_whole_has_no_findings(ready: FileRecord) -> None:
    assert verify("--deep") == {}


@pytest.mark.parametrize(("code", "damage"), BROKEN, ids=[f"{code}-{at}" for at, (code, _) in enumerate(BROKEN)])
def test_a_broken_invariant_is_found_and_put_right(code: str, damage: Break, ready: FileRecord, bob: User) -> None:
    damage(ready)
    found = verify("--deep")
    assert code in found
    assert found[code]["count"] == 1
    assert found[code]["examples"]
    assert found[code]["repairable"] is (code not in IRREPARABLE)
    assert code in verify("--deep", "--repair")
    ProcessingJob.objects.filter(state=JobState.QUEUED).update(available_at=timezone.now() - LONG_AGO)
    while pipeline.work("w"):
        pass
    assert set(verify("--deep")) == ({code} if code in IRREPARABLE else set())


def test_a_person_is_told_what_is_wrong_and_what_to_do(ready: FileRecord) -> None:
    _bytes(ready, None)
    _job(ready, state=JobState.QUEUED)
    out = StringIO()
    with pytest.raises(CommandError, match="2 of 2 invariants do not hold"):
        call_command("verify", "bytes_missing", "jobs_at_odds", stdout=out)
    assert "1 files lack bytes." in out.getvalue()
    assert "Take the file from a backup" in out.getvalue()
    assert "--repair` puts this right" in out.getvalue()
    assert str(ready.pk) in out.getvalue()


def test_an_unknown_invariant_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="no invariant called nonsense"):
        call_command("verify", "nonsense")


def test_quick_reads_no_bytes(ready: FileRecord) -> None:
    _bytes(ready, None)
    assert verify("--quick") == {}
    assert set(verify()) == {"bytes_missing"}


def test_the_doctor_looks_at_the_cheap_ones(ready: FileRecord) -> None:
    out = StringIO()
    call_command("doctor", "invariants", stdout=out)
    assert "agree" in out.getvalue()
    _job(ready, state=JobState.QUEUED)
    with pytest.raises(CommandError, match="need attention"):
        call_command("doctor", "invariants", stdout=out)
    assert "manage.py verify" in out.getvalue()
