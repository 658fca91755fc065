"""The page of the trash."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views import View
from django.views.generic import TemplateView

from files import selectors, services, trash
from files.errors import FileNotFound
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError

PAGE_SIZE = 50


class TrashPage(LoginRequiredMixin, TemplateView):
    """What the caller deleted, and until when it may be restored."""

    template_name = "files/trash.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of files in the trash, those put there last first."""
        user = cast(User, self.request.user)
        page = Paginator(selectors.trash_of(user), PAGE_SIZE).get_page(self.request.GET.get("page"))
        rows = [(file, trash.purged_after(file)) for file in page.object_list]
        return super().get_context_data(
            page=page, rows=rows, held=selectors.trash_sum(user), days=settings.TRASH_DAYS, **kwargs
        )


class TrashActionView(LoginRequiredMixin, View):
    """Restore a file, or delete it for good."""

    _ACTIONS = {
        "restore": (services.restore, "{name} was restored."),
        "delete": (services.delete_completely, "{name} was deleted for good."),
    }

    def post(self, request: HttpRequest, file_id: UUID, action: str) -> HttpResponse:
        """Do the action and go back to the trash."""
        if action not in self._ACTIONS:
            raise Http404
        act, message = self._ACTIONS[action]
        try:
            file = selectors.get_trashed(cast(User, request.user), file_id)
            act(file)
            messages.success(request, message.format(name=file.name))
        except FileNotFound as exc:
            raise Http404 from exc
        except OrchestraError as exc:
            messages.error(request, f"{exc.message} {exc.hint}")
        return redirect("trash")


class EmptyTrashView(LoginRequiredMixin, View):
    """Delete everything in the trash for good."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Empty it and say how much went."""
        count = trash.empty(cast(User, request.user))
        messages.success(request, f"The trash is empty: {count} file{'' if count == 1 else 's'} deleted for good.")
        return redirect("trash")
