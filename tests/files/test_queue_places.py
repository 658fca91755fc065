"""The place in the queue is the one in which workers really take the files."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from files import jobs
from files.models import FileRecord, JobState, ProcessingJob
from files.queue_places import places_of
from orchestra.accounts.models import User

MakeFile = Callable[..., FileRecord]


def places() -> dict[Any, int]:
    return places_of(ProcessingJob.objects.all())


def test_a_users_only_file_does_not_wait_behind_anothers_thousand(alice: User, bob: User, make_file: MakeFile) -> None:
    for number in range(20):
        make_file(alice, f"text {number}".encode())
    only = make_file(bob, b"only one")
    assert places()[only.pk] == 1
    assert sorted(place for file, place in places().items() if file != only.pk) == [0, *range(2, 21)]


@pytest.mark.parametrize("seed", range(5))
def test_places_are_those_at_which_files_are_taken(alice: User, bob: User, make_file: MakeFile, seed: int) -> None:
    carol = User.objects.create_user("carol", password="correct horse battery")
    chance = random.Random(seed)
    for number in range(12):
        make_file(chance.choice((alice, alice, bob, carol)), f"text {number}".encode())
    for _ in range(chance.randrange(3)):
        assert jobs.claim_next("w")
    expected = places()
    taken = [claim.file_id for _ in expected if (claim := jobs.claim_next("w"))]
    assert set(taken) == set(expected)
    off = [abs(expected[file_id] - place) for place, file_id in enumerate(taken)]
    assert max(off) <= 2, "a tie with another user may be told the other way round, no more"


def test_what_is_not_due_yet_has_no_place_and_takes_none(alice: User, make_file: MakeFile) -> None:
    later, now = make_file(alice, b"later"), make_file(alice, b"now")
    ProcessingJob.objects.filter(file=later).update(available_at=Now() + timedelta(minutes=5))
    assert places() == {now.pk: 0}


def test_two_queries_however_many_files(alice: User, make_file: MakeFile, django_assert_num_queries: Any) -> None:
    for number in range(10):
        make_file(alice, f"text {number}".encode())
    listed = list(ProcessingJob.objects.filter(state=JobState.QUEUED))
    with django_assert_num_queries(2):
        assert len(places_of(listed)) == 10
    with django_assert_num_queries(0):
        assert places_of([]) == {}
