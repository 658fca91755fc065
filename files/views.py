"""The list of files with its drop zone, and what its buttons do. The page of one file is `files.file_views`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views import View
from django.views.generic import TemplateView

from files import selectors, services
from files.errors import FileNotFound
from files.models import FileRecord, FileStatus
from files.rows import blank_row, rows_of
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError

# Which statuses one filter of the list stands for.
GROUPS = (
    ("Under way", (FileStatus.UPLOADING, FileStatus.QUEUED, FileStatus.PROCESSING)),
    ("Ready", (FileStatus.READY,)),
    ("Read in part", (FileStatus.PARTIAL,)),
    ("Failed", (FileStatus.FAILED,)),
    ("Cancelled", (FileStatus.CANCELLED,)),
)
PAGE_SIZE = 50


def _file_or_404(request: HttpRequest, file_id: UUID) -> FileRecord:
    try:
        return selectors.get_file(cast(User, request.user), file_id)
    except FileNotFound as exc:
        raise Http404 from exc


@dataclass(frozen=True, slots=True)
class StatusGroup:
    """A filter of the file list: its name, its statuses, how many files it would show, whether it is chosen."""

    label: str
    statuses: tuple[str, ...]
    count: int
    chosen: bool


def status_groups(counts: dict[str, int], chosen: list[str]) -> list[StatusGroup]:
    """Return the filters by status, in the order of a file's life."""
    return [
        StatusGroup(label, statuses, sum(counts.get(status, 0) for status in statuses), set(statuses) == set(chosen))
        for label, statuses in GROUPS
    ]


def drop_zone(user: User, holdings: selectors.Holdings) -> dict[str, Any]:
    """Return what the place to drop files says about room."""
    return {
        "used": holdings.bytes,
        "trash": holdings.trash,
        "quota": user.effective_quota,
        "max_file_size": settings.MAX_FILE_SIZE,
    }


class FileListPage(LoginRequiredMixin, TemplateView):
    """The caller's files, newest first, and the place to drop more."""

    template_name = "files/file_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of files with their status."""
        user = cast(User, self.request.user)
        query = self.request.GET
        files = selectors.filtered(
            selectors.files_of(user),
            status=query.getlist("status"),
            kind=query.get("kind", ""),
            name=query.get("name", ""),
        )
        page = Paginator(files, PAGE_SIZE).get_page(query.get("page"))
        holdings = selectors.holdings_of(user)
        counts = holdings.counts
        return super().get_context_data(
            page=page,
            rows=rows_of(selectors.with_status(page.object_list)),
            blank_rows=[blank_row()],
            trash_days=settings.TRASH_DAYS,
            trash_address=reverse("trash"),
            total=holdings.total,
            searchable=counts.get("ready", 0) + counts.get("partial", 0),
            groups=status_groups(counts, query.getlist("status")),
            name=query.get("name", ""),
            narrowed=any(query.get(key) for key in ("status", "kind", "name")),
            newest_id=selectors.files_of(user).values_list("pk", flat=True).first() or "",
            **drop_zone(user, holdings),
            **kwargs,
        )


class FileActionView(LoginRequiredMixin, View):
    """Retry, cancel and delete, for pages without JavaScript."""

    _ACTIONS = {
        "retry": (services.retry, "The file is queued again."),
        "cancel": (services.cancel, "Processing was cancelled."),
        "delete": (services.delete, ""),
    }

    def post(self, request: HttpRequest, file_id: UUID, action: str) -> HttpResponse:
        """Do the action and go back to where it leaves the user."""
        if action not in self._ACTIONS:
            raise Http404
        act, message = self._ACTIONS[action]
        try:
            file = _file_or_404(request, file_id)
            act(file)
            messages.success(request, message or _deleted(file))
        except OrchestraError as exc:
            messages.error(request, f"{exc.message} {exc.hint}")
        return redirect("file-list") if action == "delete" else redirect("file", file_id=file_id)


def _deleted(file: FileRecord) -> str:
    if not settings.TRASH_DAYS or file.status == FileStatus.UPLOADING:
        return f"{file.name} was deleted."
    return f"{file.name} is in the trash, and can be restored for {settings.TRASH_DAYS} days."
