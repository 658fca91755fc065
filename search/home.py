"""What the home page tells: how much can be searched, what failed, what is being read, what came and was asked last."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count

from files import sample_files, selectors
from files.models import FileRecord, FileStatus
from files.selectors import FileStatusView
from files.states import SEARCHABLE
from orchestra.accounts.models import User
from search.models import SearchQuery

_MOST_SHOWN = 6
_MOST_REASONS = 4
_SEARCHES_LOOKED_AT = 40  # the same question asked again is shown once
_WAITING = (FileStatus.QUEUED, FileStatus.UPLOADING)
_UNDER_WAY = (FileStatus.PROCESSING, *_WAITING)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why files failed, and how many did for it."""

    message: str
    files: int


@dataclass(frozen=True, slots=True)
class Home:
    """What the home page shows of a user. `counts` are files by status."""

    counts: dict[str, int]
    reasons: tuple[Reason, ...]
    under_way: tuple[FileStatusView, ...]
    recent: tuple[FileStatusView, ...]
    searches: tuple[SearchQuery, ...]
    has_samples: bool

    @property
    def total(self) -> int:
        """All files but those in the trash."""
        return sum(self.counts.values())

    @property
    def searchable(self) -> int:
        """How many of them a search finds."""
        return sum(self.counts.get(status, 0) for status in SEARCHABLE)

    @property
    def failed(self) -> int:
        """How many could not be read."""
        return self.counts.get(FileStatus.FAILED, 0)

    @property
    def moving(self) -> int:
        """How many are waiting or being read."""
        return sum(self.counts.get(status, 0) for status in _UNDER_WAY)

    @property
    def not_shown(self) -> int:
        """How many more are under way than `under_way` has."""
        return max(0, self.moving - len(self.under_way))


def home_of(user: User) -> Home:
    """Return what a user's home page shows; the number of queries does not grow with their files."""
    counts = selectors.counts_by_status(user)
    under_way, recent = _under_way(user), _recent(user)
    views = selectors.with_status([*under_way, *recent])
    return Home(
        counts,
        _reasons(user) if counts.get(FileStatus.FAILED) else (),
        tuple(views[: len(under_way)]),
        tuple(views[len(under_way) :]),
        _searches(user),
        sample_files.has_any(user),
    )


def _under_way(user: User) -> list[FileRecord]:
    """Return what is being read, then what waits longest."""
    files = selectors.files_of(user).order_by("created_at", "pk")
    running = list(files.filter(status=FileStatus.PROCESSING)[:_MOST_SHOWN])
    return [*running, *files.filter(status__in=_WAITING)[: _MOST_SHOWN - len(running)]]


def _recent(user: User) -> list[FileRecord]:
    return list(selectors.files_of(user).exclude(status__in=_UNDER_WAY)[:_MOST_SHOWN])


def _reasons(user: User) -> tuple[Reason, ...]:
    """Return the commonest reasons why files failed."""
    failed = selectors.files_of(user).filter(status=FileStatus.FAILED).order_by()
    rows = failed.values_list("error_message").annotate(n=Count("pk")).order_by("-n", "error_message")
    return tuple(Reason(message, count) for message, count in rows[:_MOST_REASONS])


def _searches(user: User) -> tuple[SearchQuery, ...]:
    """Return the last different searches. Of modes that keep nothing there are no rows."""
    rows = SearchQuery.objects.filter(user=user, mode__in=settings.SEARCH_MODES).defer("result_ids", "timings")
    different: dict[tuple[str, str], SearchQuery] = {}
    for row in rows.order_by("-created_at")[:_SEARCHES_LOOKED_AT]:
        different.setdefault((row.text, row.mode), row)
    return tuple(different.values())[:_MOST_SHOWN]
