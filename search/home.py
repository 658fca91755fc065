"""What the home page tells: how much can be searched, what failed, what is being read, what came and was asked last."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count

from files import sample_files, selectors
from files.models import FileRecord, FileStatus
from files.rows import FileRow, rows_of
from files.selectors import Holdings
from files.states import SEARCHABLE
from orchestra.accounts.models import User
from search.models import SearchQuery

_MOST_SHOWN = 6
_MOST_REASONS = 4
_FEW_SEARCHES = 3  # with fewer, questions are suggested
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
    """What the home page shows of a user. `suggests`: questions about the samples, which they have."""

    holdings: Holdings
    reasons: tuple[Reason, ...]
    under_way: tuple[FileRow, ...]
    recent: tuple[FileRow, ...]
    searches: tuple[SearchQuery, ...]
    suggests: bool

    @property
    def counts(self) -> dict[str, int]:
        """Files by status."""
        return self.holdings.counts

    @property
    def total(self) -> int:
        """All files but those in the trash."""
        return self.holdings.total

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
        """How many more are under way than `under_way` has; a list that is not full has all of them."""
        full = len(self.under_way) == _MOST_SHOWN
        return max(0, self.moving - _MOST_SHOWN) if full else 0


def home_of(user: User) -> Home:
    """Return what a user's home page shows; the number of queries does not grow with their files."""
    holdings = selectors.holdings_of(user)
    under_way, recent = _shown(user)
    rows = rows_of(selectors.with_status([*under_way, *recent]))
    searches = _searches(user)
    return Home(
        holdings,
        _reasons(user) if holdings.counts.get(FileStatus.FAILED) else (),
        tuple(rows[: len(under_way)]),
        tuple(rows[len(under_way) :]),
        searches,
        suggests=len(searches) < _FEW_SEARCHES and sample_files.has_any(user),
    )


def _shown(user: User) -> tuple[list[FileRecord], list[FileRecord]]:
    """Return what is under way (what is being read, then what waits longest), and what ended last.

    By one statement: a file that a worker takes or ends between two of them would be in both lists, or in none.
    """
    files = selectors.files_of(user)
    oldest = files.order_by("created_at", "pk")
    found = list(
        oldest.filter(status=FileStatus.PROCESSING)[:_MOST_SHOWN].union(
            oldest.filter(status__in=_WAITING)[:_MOST_SHOWN],
            files.exclude(status__in=_UNDER_WAY).order_by("-created_at", "-pk")[:_MOST_SHOWN],
            all=True,
        )
    )
    found.sort(key=lambda file: (file.created_at, file.pk))
    running = [file for file in found if file.status == FileStatus.PROCESSING]
    waiting = [file for file in found if file.status in _WAITING]
    ended = [file for file in found if file.status not in _UNDER_WAY]
    return [*running, *waiting][:_MOST_SHOWN], ended[::-1]


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
