"""A file's whole life passes every failpoint, so that each is a place where a test can strike."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from files import jobs, pipeline, services, uploads
from files.models import FileRecord, ProcessingJob, Upload
from files.uploads import ChunkRange, NewUpload
from orchestra.accounts.models import User
from orchestra.common import failpoints
from tests.s3_server import S3Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Path]:
    """A directory that gets a file per failpoint that was reached; embedding takes longer than a heartbeat."""
    directory = tmp_path / "failpoints"
    failpoints.arm(f"@{directory}")
    (directory / "spec").write_text("index.chunked=sleep:0.3")
    yield directory / "reached"
    failpoints.arm("")


def _uploaded(owner: User, content: bytes) -> FileRecord:
    state = uploads.initiate(owner, NewUpload("notes.txt", len(content), hashlib.sha256(content).hexdigest()))
    part = ChunkRange(0, len(content) - 1, len(content))
    return uploads.receive_chunk(state.upload, part, BytesIO(content)).file


def test_a_files_life_passes_every_failpoint(alice: User, reached: Path, settings: Any, s3_server: S3Server) -> None:
    settings.JOB_HEARTBEAT_SECONDS = 0.05
    file = _uploaded(alice, b"The harbour opens before sunrise. " * 200)
    assert pipeline.work("w")
    assert FileRecord.objects.get(pk=file.pk).status == "ready"
    services.delete(file)
    services.delete_completely(services.restore(file))

    _uploaded(alice, b"Another file.")
    assert jobs.claim_next("dead")
    ProcessingJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert jobs.sweep()["lost"] == 1

    uploads.initiate(alice, NewUpload("never.txt", 5))
    Upload.objects.filter(completed_at=None).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert uploads.expire() == 1

    settings.FILE_STORAGES = s3_server.storages()
    settings.FILE_STORAGE = "s3"
    _uploaded(alice, b"A file in a bucket.")

    assert sorted(path.name for path in reached.iterdir()) == sorted(
        point
        for point in failpoints.POINTS
        if not point.startswith(("backup.", "restore."))  # tests/orchestra/backup
    )
