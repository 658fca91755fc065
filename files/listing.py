"""Which of a user's files a list shows, and in which order: the same for the page, the API and saved views.

Comes after what reads an address (`files.forms`, `files.api.serializers`), before `selectors.with_status`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, CharField, F, Func, IntegerField, QuerySet, Value, When
from django.db.models.functions import Lower

from files.models import FileRecord, FileStatus
from files.names import storable
from orchestra.common.keyed_pages import Order

COUNTED = 10_000
"""Up to here the number of files that match is exact."""

LARGEST = 2**63 - 1
"""No file's size is above this."""

_S = FileStatus
_BY_STATE = (_S.PROCESSING, _S.QUEUED, _S.UPLOADING, _S.FAILED, _S.PARTIAL, _S.CANCELLED, _S.READY)
_LONGEST_KEY = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; what is empty does not narrow. Days are days of UTC and both included, sizes are bytes."""

    status: tuple[str, ...] = ()
    kind: str = ""
    tag: str = ""
    language: str = ""
    name: str = ""
    uploaded_from: date | None = None
    uploaded_to: date | None = None
    size_min: int | None = None
    size_max: int | None = None
    ids: tuple[str, ...] = ()

    @property
    def narrows(self) -> bool:
        """Whether any of them is set."""
        return self != Wanted()


def matching(files: QuerySet[FileRecord], wanted: Wanted) -> QuerySet[FileRecord]:
    """Return the files that match every filter, in no order of their own."""
    for condition, value, ready in _conditions(wanted):
        if value not in ("", (), None):
            files = files.filter(**{condition: ready(value)})
    return files


def _conditions(wanted: Wanted) -> tuple[tuple[str, Any, Callable[[Any], Any]], ...]:
    """Return each condition with what was asked for it, and how to make one of the other."""
    return (
        ("status__in", wanted.status, tuple),
        ("kind", wanted.kind, storable),
        ("tags__contains", wanted.tag, lambda tag: [storable(tag)]),
        ("language", wanted.language, storable),
        ("name__icontains", wanted.name, storable),
        ("created_at__gte", wanted.uploaded_from, _begin),
        ("created_at__lt", wanted.uploaded_to, _end),
        ("size__gte", wanted.size_min, int),
        ("size__lte", wanted.size_max, int),
        ("pk__in", wanted.ids, tuple),
    )


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _end(day: date) -> datetime:
    return _begin(day + timedelta(days=1)) if day < date.max else datetime.max.replace(tzinfo=UTC)


def count_up_to(files: QuerySet[FileRecord], most: int = COUNTED) -> int:
    """Return how many files there are, and `most + 1` for more than that."""
    return files.order_by()[: most + 1].count()


def _text(key: Any) -> str:
    if not isinstance(key, str) or len(key) > _LONGEST_KEY or "\x00" in key:
        raise ValueError
    key.encode()  # raises UnicodeEncodeError, a ValueError, for half a character
    return key


def _whole(key: Any) -> int:
    if type(key) is not int or not 0 <= key <= LARGEST:
        raise ValueError
    return key


def _moment(key: Any) -> datetime:
    moment = datetime.fromisoformat(key)
    if moment.tzinfo is None:
        raise ValueError
    return moment


_STATE = Case(
    *(When(status=status, then=Value(place)) for place, status in enumerate(_BY_STATE)),
    output_field=IntegerField(),
)

SORTS = {
    "newest": Order(F("created_at"), _moment, descending=True),
    "oldest": Order(F("created_at"), _moment),
    "name": Order(Lower("name"), _text),
    "largest": Order(F("size"), _whole, descending=True),
    "smallest": Order(F("size"), _whole),
    "state": Order(_STATE, _whole),
}
"""By state: what is being read, what waits, what failed; what is ready last."""

NEWEST = "newest"


class _Unnest(Func):
    """A row for each element of an array."""

    function = "unnest"
    output_field = CharField()
    set_returning = True


def tags_of(files: QuerySet[FileRecord], most: int = 200) -> list[str]:
    """Return the tags that some of these files have, sorted, `most` of them at most."""
    rows = files.exclude(tags=[]).order_by().annotate(tag=_Unnest("tags")).values_list("tag", flat=True)
    return sorted(rows.distinct()[:most], key=str.casefold)


def languages_of(files: QuerySet[FileRecord]) -> list[str]:
    """Return the codes of the languages that some of these files are in, sorted."""
    rows = files.exclude(language="").order_by().values_list("language", flat=True)
    return sorted(rows.distinct())
