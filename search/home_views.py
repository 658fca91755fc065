"""The home page. What it shows is `search.home`'s; an open page follows the socket and reads it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views import View

from files import sample_files, services
from files.views import drop_zone
from orchestra.accounts.models import User
from search.home import home_of

# The file list stood here before it had an address of its own.
_OF_THE_LIST = {"status", "kind", "name", "page"}


class HomePage(LoginRequiredMixin, View):
    """Where a user's files stand, in one look; the first steps for who has none."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it; an old address of the file list leads there."""
        if _OF_THE_LIST & request.GET.keys():
            return redirect(f"{reverse('file-list')}?{request.GET.urlencode()}")
        user = cast(User, request.user)
        home = home_of(user)
        context: dict[str, Any] = {
            "home": home,
            "total": home.total,
            "questions": sample_files.QUESTIONS,
            "most_retried": services.MOST_RETRIED,
            "blank_id": UUID(int=0),
            **drop_zone(user),
        }
        return render(request, "search/home.html", context)


class HomeActionView(LoginRequiredMixin, View):
    """What the home page's buttons do."""

    def post(self, request: HttpRequest, action: str) -> HttpResponse:
        """Do it and go back."""
        if action not in _ACTIONS:
            raise Http404
        _ACTIONS[action](request, cast(User, request.user))
        return redirect("home")


def _retry_failed(request: HttpRequest, user: User) -> None:
    count = services.retry_failed(user)
    messages.success(request, f"{count} file{'' if count == 1 else 's'} will be read again.")


def _add_samples(request: HttpRequest, user: User) -> None:
    added = sample_files.add(user)
    for one in added:
        if one.problem:
            messages.error(request, f"{one.path.name}: {one.problem}")
    new = [one for one in added if one.file_id and not one.duplicate]
    if new:
        messages.success(request, f"{len(new)} sample files are being read. It takes a few seconds.")
    elif not any(one.problem for one in added):
        messages.info(request, "The sample files are here already.")


_ACTIONS: dict[str, Callable[[HttpRequest, User], None]] = {
    "retry-failed": _retry_failed,
    "samples": _add_samples,
}
