"""Keeps the stores beside PostgreSQL in step with it, owner by owner, while files are indexed and deleted.

Before it: `search.indexing.writing`, whose rows are the truth. What is not done yet is searched in PostgreSQL, so a
mirror may be late or lost without anybody missing a passage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import Sum

from search import mirrors, spaces
from search.errors import MirrorUnavailable
from search.models import EmbeddingSpace, IndexedFile
from search.retrieval import Space
from search.vector_stores import vector_stores
from search.vector_stores.mirror import MirrorStore

logger = structlog.get_logger(__name__)

SECONDS_PER_RUN = 50.0  # of those begun every minute
_LOCK = 0x0FA155  # of whoever brings mirrors up to date; any number that nothing else locks


@dataclass(frozen=True, slots=True)
class Synced:
    """What a run did. `finished` is false where its time was up or another run was at work; passages are counted."""

    finished: bool = True
    owners: int = 0
    added: int = 0
    dropped: int = 0


def mirror_stores() -> list[MirrorStore]:
    """Return the chosen stores that are mirrors."""
    chosen = (vector_stores[alias] for alias in vector_stores.aliases())
    return [store for store in chosen if isinstance(store, MirrorStore)]


def sync(
    store: MirrorStore,
    *,
    everything: bool = False,
    seconds: float = float("inf"),
    report: Callable[[str], None] = logger.debug,
) -> Synced:
    """Bring a store up to date, or make its copies anew with `everything`; begin no owner after `seconds`.

    One run at a time: where another one is at work, nothing is done. Raises MirrorUnavailable.
    """
    until = time.monotonic() + seconds
    with _alone() as alone:
        space = spaces.active()
        if not alone or space is None:
            return Synced(finished=alone)
        owners = _owners(store)
        _drop_others(store, space, owners)
        done = Synced()
        for owner_id, passages in owners.items():
            if time.monotonic() > until:
                return Synced(False, done.owners, done.added, done.dropped)
            change = store.bring_up(space, owner_id, everything=everything)
            done = Synced(True, done.owners + 1, done.added + change.added, done.dropped + change.dropped)
            report(f"{store.name}: {done.owners} of {len(owners)} owners, {passages:,} passages of this one.")
    if done.added or done.dropped:
        logger.info("vector_store_synced", store=store.name, added=done.added, dropped=done.dropped)
    return done


def sync_all() -> None:
    """Bring all chosen mirrors up to date for as long as a run may take; one that fails is tried again by the next."""
    for store in mirror_stores():
        try:
            sync(store, seconds=SECONDS_PER_RUN)
        except MirrorUnavailable as error:
            logger.warning("vector_store_not_synced", store=store.name, reason=error.message)


def rebuild(report: Callable[[str], None]) -> None:
    """Make the copies of all chosen mirrors anew, reporting in lines; searches go on. Raises MirrorUnavailable."""
    for store in mirror_stores():
        done = sync(store, everything=True, report=report)
        if done.finished:
            report(f"{store.name}: {done.added:,} passages of {done.owners} owners.")
        else:
            report(f"{store.name}: another run is at work on it; try again when it has ended.")


@contextmanager
def _alone() -> Iterator[bool]:
    """Tell whether no other run is at work, and let none begin."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _owners(store: MirrorStore) -> dict[UUID, int]:
    """Return the owners of so many passages that a mirror is of use, with how many, the smallest first."""
    visible = IndexedFile.objects.filter(file__trashed_at=None)
    rows = visible.order_by().values_list("owner_id").annotate(passages=Sum("chunk_count"))
    return dict(rows.filter(passages__gt=store.exact_rows).order_by("passages"))


def _drop_others(store: MirrorStore, space: Space, owners: dict[UUID, int]) -> None:
    """Drop the copies of owners that have too little now, and of spaces that are no more."""
    live = set(EmbeddingSpace.objects.values_list("pk", flat=True))
    for space_id, owner_id in mirrors.holders(store.name):
        if space_id not in live or (space_id == space.id and owner_id not in owners):
            store.drop(space_id, owner_id)
    store.drop_unknown()
