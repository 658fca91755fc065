"""What the place to drop files says, and what the buttons of one file do. The list itself is `files.list_views`."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views import View

from files import selectors, services
from files.errors import FileNotFound
from files.models import FileRecord, FileStatus
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError


def _file_or_404(request: HttpRequest, file_id: UUID) -> FileRecord:
    try:
        return selectors.get_file(cast(User, request.user), file_id)
    except FileNotFound as exc:
        raise Http404 from exc


def drop_zone(user: User, holdings: selectors.Holdings) -> dict[str, Any]:
    """Return what the place to drop files says about room."""
    return {
        "used": holdings.bytes,
        "trash": holdings.trash,
        "quota": user.effective_quota,
        "max_file_size": settings.MAX_FILE_SIZE,
    }


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
