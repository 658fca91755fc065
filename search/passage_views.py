"""A file's passages: each with its place and tokens, taken out of the search or let in again, and what is like it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from files.errors import FileNotFound
from files.file_views import FileTab
from files.models import FileRecord
from files.selectors import get_file
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from search import disabling
from search.file_passages import PAGE_SIZE, page_of, similar_to
from search.models import VectorChunk


class PassagesPage(FileTab):
    """Every passage of a file, a page at a time by its place in the file."""

    tab = "file-passages"
    panel = "search/_passages.html"

    def shown(self, user: User, file: FileRecord) -> dict[str, Any]:
        """Return the passages from the one on that the address names."""
        first = self.request.GET.get("from", "")
        number = int(first) if first.isascii() and first.isdigit() and len(first) < 9 else 0
        return {"passages": page_of(file, number)}


class SimilarPage(LoginRequiredMixin, View):
    """The passages of all files of a user that lie nearest to one."""

    def get(self, request: HttpRequest, file_id: UUID, chunk_id: UUID) -> HttpResponse:
        """Show them; nothing is remembered of it."""
        user = cast(User, request.user)
        try:
            file = get_file(user, file_id)
        except FileNotFound as exc:
            raise Http404 from exc
        chunk = VectorChunk.objects.filter(pk=chunk_id, file=file).first()
        if chunk is None:
            raise Http404
        context = {"file": file, "chunk": chunk, "hits": similar_to(user, chunk), "first": _first_of(chunk)}
        return render(request, "search/similar.html", context)


class PassageActionView(LoginRequiredMixin, View):
    """Disable and enable, for pages without JavaScript."""

    _ACTIONS = {
        "disable": (disabling.disable, "Passage {number} is disabled: no search finds it."),
        "enable": (disabling.enable, "Passage {number} is enabled: searches find it again."),
    }

    def post(self, request: HttpRequest, file_id: UUID, chunk_id: UUID, action: str) -> HttpResponse:
        """Do it and go back to the passage."""
        if action not in self._ACTIONS:
            raise Http404
        act, message = self._ACTIONS[action]
        page = reverse("file-passages", args=[file_id])
        try:
            chunk = act(cast(User, request.user), file_id, chunk_id)
        except FileNotFound as exc:
            raise Http404 from exc
        except OrchestraError as exc:
            messages.error(request, f"{exc.message} {exc.hint}")
            return redirect(page)
        messages.success(request, message.format(number=chunk.ordinal + 1))
        return redirect(f"{page}?from={_first_of(chunk)}#passage-{chunk.ordinal}")


def _first_of(chunk: VectorChunk) -> int:
    """Return the ordinal that the page with this passage begins with."""
    return chunk.ordinal // PAGE_SIZE * PAGE_SIZE
