"""The list of files: filters, sorts, pages by key, a table or a grid, saved views, and what is done to many files.

What it is asked is read by `files.forms`, found by `files.listing`, done by `files.bulk` and `files.saved_views`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from files import bulk, saved_views, selectors
from files.bulk import Outcome
from files.errors import BulkInvalid, ViewNotFound
from files.forms import ListForm
from files.listing import COUNTED, NEWEST, Wanted, count_up_to
from files.models import FileRecord, FileStatus
from files.rows import blank_row, rows_of
from files.views import drop_zone
from orchestra.accounts.models import User
from orchestra.accounts.services import preference_of, set_preference
from orchestra.common.errors import OrchestraError
from orchestra.common.keyed_pages import page_in_order

PAGE_SIZE = 50
LAYOUTS = ("table", "grid")
_PREFERENCE = "file_layout"
_MOST_CHOSEN = 200  # files named one by one in a request; a page has fewer

# Which statuses one filter of the list stands for.
GROUPS = (
    ("Under way", (FileStatus.UPLOADING, FileStatus.QUEUED, FileStatus.PROCESSING)),
    ("Ready", (FileStatus.READY,)),
    ("Read in part", (FileStatus.PARTIAL,)),
    ("Failed", (FileStatus.FAILED,)),
    ("Cancelled", (FileStatus.CANCELLED,)),
)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


@dataclass(frozen=True, slots=True)
class StatusGroup:
    """A filter of the file list: its name, its statuses, how many files it would show, whether it is chosen."""

    label: str
    statuses: tuple[str, ...]
    count: int
    chosen: bool


def status_groups(counts: dict[str, int], chosen: tuple[str, ...]) -> list[StatusGroup]:
    """Return the filters by status, in the order of a file's life."""
    return [
        StatusGroup(label, statuses, sum(counts.get(status, 0) for status in statuses), set(statuses) == set(chosen))
        for label, statuses in GROUPS
    ]


class FileListPage(LoginRequiredMixin, View):
    """The caller's files, and the place to drop more."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of those that match."""
        user, files = _user(request), selectors.files_of(_user(request))
        form = ListForm(request.GET, choose_from=files)
        holdings = selectors.holdings_of(user)
        marks = {name: request.GET.get(name, "") for name in ("after", "before")}
        page = page_in_order(form.narrow(files), form.order, PAGE_SIZE, **marks)
        context = {
            "form": form,
            "page": page,
            "rows": rows_of(selectors.with_status(page.rows)),
            "groups": status_groups(holdings.counts, form.wanted().status),
            "found": _found(files, form, holdings),
            **_of_the_whole(user, files, form, holdings),
            **_choices(request, form),
            **drop_zone(user, holdings),
        }
        # New files come in by themselves where they would be: on the first page of all files, newest first.
        context["first_page"] = not (page.before or context["narrowed"]) and form.sort_name == NEWEST
        return render(request, "files/file_list.html", context)


def _found(files: QuerySet[FileRecord], form: ListForm, holdings: selectors.Holdings) -> int:
    """Return how many files match, `COUNTED + 1` for more than that; no look at files where the counts say it."""
    wanted = form.wanted()
    if wanted == Wanted(status=wanted.status):
        chosen = wanted.status or tuple(holdings.counts)
        return min(COUNTED + 1, sum(holdings.counts.get(status, 0) for status in chosen))
    return count_up_to(form.narrow(files))


def _of_the_whole(
    user: User, files: QuerySet[FileRecord], form: ListForm, holdings: selectors.Holdings
) -> dict[str, Any]:
    counts = holdings.counts
    return {
        "total": holdings.total,
        "searchable": counts.get(FileStatus.READY, 0) + counts.get(FileStatus.PARTIAL, 0),
        "counted": COUNTED,
        "narrowed": form.wanted().narrows,
        "views": saved_views.views_of(user),
        "newest_id": files.order_by("-created_at", "-pk").values_list("pk", flat=True).first() or "",
    }


def _choices(request: HttpRequest, form: ListForm) -> dict[str, Any]:
    """Return how the list looks, and what its rows and buttons need."""
    return {
        "layout": _layout(request),
        "layouts": LAYOUTS,
        "query": form.query,
        "blank_rows": [blank_row()],
        "acts": True,
        "trash_days": settings.TRASH_DAYS,
        "trash_address": reverse("trash"),
        "most_moved": bulk.MOST_MOVED,
    }


def _layout(request: HttpRequest) -> str:
    """Return the layout that the address asks for, else the one that the user chose last."""
    wished = (request.GET.get("layout"), preference_of(_user(request), _PREFERENCE))
    return next((layout for layout in wished if isinstance(layout, str) and layout in LAYOUTS), LAYOUTS[0])


def _address(query: str, **more: str) -> str:
    """Return the list's address with the filters of another address; nothing else of that one is taken over."""
    kept = QueryDict(ListForm(QueryDict(query)).query, mutable=True)
    for name, value in more.items():
        kept[name] = value
    return f"{reverse('file-list')}?{kept.urlencode()}" if kept else reverse("file-list")


class LayoutView(LoginRequiredMixin, View):
    """The choice between table and grid."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Remember it for this user, and show the list that way."""
        layout = request.POST.get("layout", "")
        if layout not in LAYOUTS:
            raise Http404
        set_preference(_user(request), _PREFERENCE, layout)
        return redirect(_address(request.POST.get("query", ""), layout=layout))


class SavedViewsView(LoginRequiredMixin, View):
    """The form that keeps what the list shows under a name."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it, and show the list as before."""
        query = request.POST.get("query", "")
        try:
            view = saved_views.save(_user(request), request.POST.get("name", ""), query)
            messages.success(request, f"The view “{view.name}” was saved.")
        except OrchestraError as exc:
            messages.error(request, f"{exc.message} {exc.hint}")
        return redirect(_address(query))


class SavedViewDeleteView(LoginRequiredMixin, View):
    """The button that forgets a view."""

    def post(self, request: HttpRequest, view_id: UUID) -> HttpResponse:
        """Forget it; no file is touched."""
        try:
            name = saved_views.delete(_user(request), view_id)
        except ViewNotFound as exc:
            raise Http404 from exc
        messages.success(request, f"The view “{name}” was deleted. Its files are as they were.")
        return redirect(_address(request.POST.get("query", "")))


class BulkView(LoginRequiredMixin, View):
    """What is done to the chosen files, or to all that match."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Do it, say what was done and what was not, and show the list as before."""
        action = request.POST.get("action", "")
        if action not in _ACTIONS:
            raise Http404
        act, done = _ACTIONS[action]
        if action == "trash" and not settings.TRASH_DAYS:
            done = "deleted for good"
        try:
            chosen = _chosen(request)
            outcome = act(chosen.files, request.POST.get("with_tag", ""))
            _tell(request, done, outcome, chosen.gone)
        except OrchestraError as exc:
            messages.error(request, f"{exc.message} {exc.hint}")
        return redirect(_address(request.POST.get("query", "")))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The files to act on, and how many of those named are not there (any more, or for this user)."""

    files: QuerySet[FileRecord]
    gone: int = 0


def _chosen(request: HttpRequest) -> _Chosen:
    """Return what the form chose. Raises BulkInvalid where that is nothing."""
    files = selectors.files_of(_user(request))
    if request.POST.get("which") == "matching":
        return _Chosen(ListForm(QueryDict(request.POST.get("query", ""))).narrow(files))
    named = request.POST.getlist("shown" if request.POST.get("which") == "page" else "file")
    ids = _ids(named[:_MOST_CHOSEN])
    if not ids:
        raise BulkInvalid
    there = files.filter(pk__in=ids)
    return _Chosen(there, len(ids) - there.count())


def _ids(texts: Iterable[str]) -> set[UUID]:
    """Return the ids among what was sent; what is none is left out."""
    found = set()
    for text in texts:
        with suppress(ValueError):
            found.add(UUID(text))
    return found


_ACTIONS: dict[str, tuple[Callable[[QuerySet[FileRecord], str], Outcome], str]] = {
    "retry": (lambda files, _: bulk.retry(files), "queued again"),
    "cancel": (lambda files, _: bulk.cancel(files), "cancelled"),
    "trash": (lambda files, _: bulk.trash(files), "in the trash"),
    "add-tag": (bulk.add_tag, "tagged"),
    "remove-tag": (bulk.remove_tag, "changed: the tag is gone from them"),
}


def _tell(request: HttpRequest, done: str, outcome: Outcome, gone: int) -> None:
    """Say what became of the files, in one message."""
    sentences = [f"{_files(outcome.changed)} {done}." if outcome.changed else "No file was changed."]
    sentences += [f"{_files(one.files)} left as before: {one.reason}" for one in outcome.refused]
    if gone:
        sentences.append(f"{_files(gone)} not here any more.")
    if outcome.left:
        sentences.append(f"{outcome.left:,} more match: do it again for the next ones.")
    level = messages.success if outcome.changed and not gone else messages.warning
    level(request, " ".join(sentences))


def _files(number: int) -> str:
    return "1 file is" if number == 1 else f"{number:,} files are"
