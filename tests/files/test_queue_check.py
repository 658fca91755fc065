"""The check `queue`: waiting is no fault, waiting for nobody is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from files import jobs
from files.health import check_queue
from files.models import FileRecord, ProcessingJob
from orchestra.accounts.models import User

pytestmark = pytest.mark.django_db


def age(seconds: int) -> None:
    ProcessingJob.objects.update(
        queued_at=Now() - timedelta(seconds=seconds), available_at=Now() - timedelta(seconds=seconds)
    )


def test_nothing_that_waits_is_well() -> None:
    assert check_queue().ok
    assert "No file waits" in check_queue().message


def test_files_that_nobody_takes_need_attention_after_a_minute(
    alice: User, make_file: Callable[..., FileRecord]
) -> None:
    make_file(alice)
    make_file(alice, b"Another.", "b.txt")
    age(30)
    assert check_queue().ok
    age(90)
    found = check_queue()
    assert not found.ok
    assert "2 files wait" in found.message
    assert "worker" in found.remedy


def test_a_long_queue_that_is_worked_on_is_well(alice: User, make_file: Callable[..., FileRecord]) -> None:
    make_file(alice)
    make_file(alice, b"Another.", "b.txt")
    age(9000)
    assert jobs.claim_next("a worker") is not None
    assert check_queue().ok


def test_a_pause_before_another_try_is_no_wait(alice: User, make_file: Callable[..., FileRecord]) -> None:
    make_file(alice)
    age(9000)
    ProcessingJob.objects.update(available_at=Now() + timedelta(seconds=200))
    assert check_queue().ok
