"""How many files come before one that waits, in the order in which workers really take them.

`files.jobs.claim_next` takes a file of whoever has fewest being read, then the one that waits longest: in effect the
owners take turns. So a user's only file waits behind one file of each other user at most, however many those have.

A place is exact but for ties: whose turn comes first of two users with equally many files being read is told by their
first files, not by each pair. That is one file per other user at most, and costs no look at every file that waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Min, Q, Window
from django.db.models.functions import Now, RowNumber

from files.models import JobState, ProcessingJob


@dataclass(frozen=True, slots=True)
class _Share:
    """What an owner has in the queue: due files, files being read, since when the first one waits."""

    due: int
    running: int
    first: Any


def places_of(jobs: Iterable[ProcessingJob]) -> dict[UUID, int]:
    """Return for each queued and due job of `jobs`, by file, how many others come before it. Two queries."""
    queued = [job for job in jobs if job.state == JobState.QUEUED]
    if not queued:
        return {}
    shares = _shares()
    ranks = _ranks(queued)
    return {
        job.file_id: ranks[job.file_id] + _of_others(job, ranks[job.file_id], shares)
        for job in queued
        if job.file_id in ranks
    }


def _shares() -> dict[UUID, _Share]:
    due = Q(state=JobState.QUEUED, available_at__lte=Now())
    rows = (
        ProcessingJob.objects.filter(state__in=(JobState.QUEUED, JobState.RUNNING))
        .order_by()
        .values("owner")
        .annotate(due=Count("pk", filter=due), running=Count("pk", filter=~Q(state=JobState.QUEUED)))
        .annotate(first=Min("queued_at", filter=due))
    )
    return {row["owner"]: _Share(row["due"], row["running"], row["first"]) for row in rows}


def _ranks(queued: list[ProcessingJob]) -> dict[UUID, int]:
    """Return how many of its own owner's files come before each."""
    owners = {job.owner_id for job in queued}
    rows = (
        ProcessingJob.objects.filter(
            state=JobState.QUEUED,
            available_at__lte=Now(),
            owner__in=owners,
            queued_at__lte=max(job.queued_at for job in queued),
        )
        .annotate(rank=Window(RowNumber(), partition_by=F("owner"), order_by=(F("queued_at"), F("pk"))))
        .values_list("file_id", "rank")
    )
    wanted = {job.file_id for job in queued}
    return {file_id: rank - 1 for file_id, rank in rows if file_id in wanted}


def _of_others(job: ProcessingJob, rank: int, shares: dict[UUID, _Share]) -> int:
    mine = shares.get(job.owner_id, _Share(0, 0, None))
    total = 0
    for owner, share in shares.items():
        if owner != job.owner_id and share.due:
            # Turns that the other has before ours: one for each of ours, those that we are ahead by, and a tie.
            first = int(share.first < mine.first) if mine.first else 1
            total += min(share.due, max(0, rank + mine.running - share.running + first))
    return total
