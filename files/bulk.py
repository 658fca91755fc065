"""What is done to many files of one user at once, in bounded batches: retry, cancel, trash, add a tag, remove one.

Each function takes files that `files.selectors.files_of` gave, does what can be done, and says what could not be, and
why. What is beyond its bound is left, and said: asked again, it goes on, because files that were changed longest ago
come first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Func, QuerySet, Value
from django.db.models.functions import Now

from files import services, states
from files.errors import TagMissing
from files.events import publish_change
from files.models import FileRecord, FileStatus
from files.names import MAX_TAGS, clean_tag
from files.status_text import LABELS
from orchestra.common.errors import OrchestraError

MOST_MOVED = 500
"""Files that are queued, cancelled or trashed by one call: each is a transaction of its own."""

MOST_TAGGED = 10_000
"""Files that are tagged by one call, by one statement for each batch."""

_BATCH = 500
_TOLD = 50
_UNDER_WAY = (FileStatus.QUEUED, FileStatus.PROCESSING)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why some files were left as they were, and how many."""

    reason: str
    files: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many files were changed, which were not and why, and how many were beyond the bound."""

    changed: int
    refused: tuple[Refusal, ...] = ()
    left: int = 0


def retry(files: QuerySet[FileRecord]) -> Outcome:
    """Read files again: those whose bytes are here and that are neither waiting nor being read."""
    possible = files.filter(status__in=states.TERMINAL).exclude(storage_key="")
    refused = _by_status(files.exclude(status__in=states.TERMINAL))
    lost = files.filter(status__in=states.TERMINAL, storage_key="").order_by().count()
    return _each(possible, services.retry, {**refused, "Their bytes are not here.": lost})


def cancel(files: QuerySet[FileRecord]) -> Outcome:
    """Stop files that wait or are being read."""
    return _each(files.filter(status__in=_UNDER_WAY), services.cancel, _by_status(files.exclude(status__in=_UNDER_WAY)))


def trash(files: QuerySet[FileRecord]) -> Outcome:
    """Move files to the trash. One that is still being uploaded stays: it could not come back from there."""
    uploading = files.filter(status=FileStatus.UPLOADING)
    return _each(files.exclude(status=FileStatus.UPLOADING), services.delete, _by_status(uploading))


def add_tag(files: QuerySet[FileRecord], tag: str) -> Outcome:
    """Give files a tag. Raises TagMissing."""
    tag = _tag(tag)
    lacking = files.exclude(tags__contains=[tag])
    refused = {
        "They have this tag already.": files.filter(tags__contains=[tag]).order_by().count(),
        f"They have {MAX_TAGS} tags, as many as there may be.": lacking.filter(tags__len__gte=MAX_TAGS).count(),
    }
    return _tagged(lacking.exclude(tags__len__gte=MAX_TAGS), "array_append", tag, refused)


def remove_tag(files: QuerySet[FileRecord], tag: str) -> Outcome:
    """Take a tag off files. Raises TagMissing."""
    tag = _tag(tag)
    refused = {"They do not have this tag.": files.exclude(tags__contains=[tag]).order_by().count()}
    return _tagged(files.filter(tags__contains=[tag]), "array_remove", tag, refused)


def _tag(text: str) -> str:
    tag = clean_tag(text)
    if not tag:
        raise TagMissing
    return tag


def _by_status(files: QuerySet[FileRecord]) -> dict[str, int]:
    """Return how many files there are in each status, in words."""
    rows: Any = files.order_by().values_list("status").annotate(n=Count("pk"))
    return {f"Their state is “{LABELS[FileStatus(status)]}”.": number for status, number in rows}


def _each(files: QuerySet[FileRecord], act: Callable[[FileRecord], None], refused: Mapping[str, int]) -> Outcome:
    """Do something to each file by itself, so that one which moved on meanwhile holds up no other."""
    ids, left = _first(files, MOST_MOVED)
    reasons = Counter(refused)
    changed = 0
    for batch in _batched(ids):
        for file in files.model._default_manager.filter(pk__in=batch):
            try:
                act(file)
            except OrchestraError as exc:  # of this file alone: it was changed or deleted by somebody else
                reasons[exc.message] += 1
            else:
                changed += 1
    return _outcome(changed, reasons, left)


def _tagged(files: QuerySet[FileRecord], function: str, tag: str, refused: Mapping[str, int]) -> Outcome:
    """Change the tags of files by a function of PostgreSQL that takes an array and an element."""
    ids, left = _first(files, MOST_TAGGED)
    tags = Func(F("tags"), Value(tag), function=function, output_field=FileRecord._meta.get_field("tags"))
    changed = 0
    for batch in _batched(ids):
        with transaction.atomic():
            # In the order of ids, so that two of these cannot wait for each other.
            locked = files.filter(pk__in=batch).order_by("pk").select_for_update(no_key=True)
            held = list(locked.values_list("pk", flat=True))
            changed += files.filter(pk__in=held).update(tags=tags, version=F("version") + 1, updated_at=Now())
    # Hints for what is likely looked at. The feed of the owner's sockets finds the rest by itself within seconds.
    for told in FileRecord.objects.filter(pk__in=ids[:_TOLD]).values_list("owner_id", "pk", "version"):
        publish_change(*told)
    return _outcome(changed, Counter(refused), left)


def _first(files: QuerySet[FileRecord], most: int) -> tuple[list[UUID], int]:
    """Return the ids of the files that were changed longest ago, and how many there are beside them."""
    ids = list(files.order_by("updated_at", "pk").values_list("pk", flat=True)[: most + 1])
    return ids[:most], files.order_by().count() - most if len(ids) > most else 0


def _batched(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Yield ids in runs that one statement can name."""
    return (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))


def _outcome(changed: int, reasons: Counter[str], left: int) -> Outcome:
    refused = tuple(Refusal(reason, number) for reason, number in reasons.most_common() if number)
    return Outcome(changed, refused, left)
