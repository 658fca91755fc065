"""The tests bite: each promise holds, and its check fails once the product is made wrong in one way.

A bug that nothing notices fails this test. More of them stand beside the tests of their promises.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from celery_app import app
from files import hints, jobs, pipeline, services, uploads
from files.errors import JobLost
from files.models import FileRecord, JobState, ProcessingJob
from files.uploads import NewUpload
from orchestra.accounts.models import User
from search.services import search
from tests.faults.seeded.apps import seed

pytestmark = pytest.mark.django_db(transaction=True)
SENTENCES = "The harbour opens before sunrise, says the pilot. " * 100


@dataclass(frozen=True)
class Promise:
    """What is promised, the bug that breaks it, and the check that must notice."""

    name: str
    bug: str
    check: Callable[[User], None]


def _queued(owner: User, content: bytes = SENTENCES.encode()) -> FileRecord:
    return uploads.receive_whole(owner, NewUpload("notes.txt", len(content)), BytesIO(content)).file


def _ready(owner: User) -> FileRecord:
    file = _queued(owner)
    assert pipeline.work("w")
    file.refresh_from_db()
    assert file.status == "ready"
    return file


def _expire_leases() -> None:
    ProcessingJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def verified() -> None:
    """Check every invariant, as the oracle does."""
    out = StringIO()
    try:
        call_command("verify", "--deep", "--json", stdout=out)
    except CommandError:
        raise AssertionError(json.loads(out.getvalue())["findings"]) from None


def lost_hints_are_sent_again(owner: User) -> None:
    """J1: Redis forgets, PostgreSQL does not."""
    _queued(owner)
    app.control.purge()
    ProcessingJob.objects.update(available_at=timezone.now() - timedelta(minutes=1))
    jobs.sweep()
    assert hints.waiting_hints() == 1


def lost_workers_are_replaced(owner: User) -> None:
    """J2: a job whose lease ran out is queued again."""
    _queued(owner)
    assert jobs.claim_next("dead")
    _expire_leases()
    jobs.sweep()
    assert ProcessingJob.objects.get().state == JobState.QUEUED


def a_zombie_changes_nothing(owner: User) -> None:
    """J3: whoever lost a job can no longer end it."""
    _queued(owner)
    zombie = jobs.claim_next("frozen")
    assert zombie
    _expire_leases()
    jobs.sweep()
    assert jobs.claim_next("other")
    try:
        jobs.finish(zombie, {})
    except JobLost:
        return
    raise AssertionError("the zombie's end was written")


def a_complete_file_is_whole(owner: User) -> None:
    """U1, U5, S1: what is called ready has its bytes, its text, its passages, its vectors, its words."""
    _queued(owner)
    pipeline.work("w")
    verified()


def a_complete_file_has_a_job(owner: User) -> None:
    """U5, J1: a file that waits is waited for."""
    _queued(owner)
    verified()


def a_deleted_file_leaves_nothing(owner: User) -> None:
    """U9: no bytes are left."""
    services.delete_completely(_ready(owner))
    assert [path for path in Path(settings.UPLOAD_DIR).rglob("*") if path.is_file()] == []


def old_results_serve_until_the_new_are_there(owner: User) -> None:
    """J13: a file that is read again is found meanwhile."""
    services.retry(_ready(owner))
    assert search(owner, "harbour pilot").hits


PROMISES = (
    Promise("J1", "pipeline.no_sweeper", lost_hints_are_sent_again),
    Promise("J2", "pipeline.no_sweeper", lost_workers_are_replaced),
    Promise("J3", "pipeline.no_fencing", a_zombie_changes_nothing),
    Promise("J3", "pipeline.text_switched_without_its_rows", a_complete_file_is_whole),
    Promise("J13", "pipeline.index_removed_at_once", old_results_serve_until_the_new_are_there),
    Promise("N1", "pipeline.versions_stand_still", a_complete_file_is_whole),
    Promise("S1", "pipeline.vectors_written_in_part", a_complete_file_is_whole),
    Promise("U1", "pipeline.bytes_not_moved_with_the_commit", a_complete_file_is_whole),
    Promise("U5", "pipeline.job_after_the_commit", a_complete_file_has_a_job),
    Promise("U9", "pipeline.bytes_kept_after_deletion", a_deleted_file_leaves_nothing),
)
each = pytest.mark.parametrize("promise", PROMISES, ids=[f"{each.name}-{each.bug}" for each in PROMISES])


@each
def test_the_promise_holds(promise: Promise, alice: User) -> None:
    promise.check(alice)


@each
def test_the_bug_is_noticed(promise: Promise, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(promise.bug, monkeypatch.setattr)
    with pytest.raises(AssertionError):
        promise.check(alice)
