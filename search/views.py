"""The search page: a plain GET form, so that a search can be linked, reloaded and made without JavaScript.

A private question is sent by POST instead and stands in no address. With JavaScript, modes that take their time are
sent by POST too and answer with events; the last one holds what the page shows of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.generic import TemplateView

from files.selectors import counts_by_status
from files.states import SEARCHABLE
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from search import services
from search.absence import absences
from search.api.events import event_of
from search.event_stream import MEDIA_TYPE, EventStream
from search.modes import modes
from search.modes.base import SearchMode
from search.retrieval import SearchResult


@dataclass(frozen=True, slots=True)
class Choice:
    """A mode that the user may choose, and the address of the page in it."""

    mode: SearchMode
    address: str


class SearchPage(LoginRequiredMixin, TemplateView):
    """One box, the modes, and what was found."""

    template_name = "search/search.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Run the search of the address, if there is one. Of a private one the address holds nothing to search for."""
        mode = _mode(self.request.GET.get("mode", ""))
        query = self.request.GET.get("q", "").strip() if mode.remembered else ""
        context = super().get_context_data(**self._surroundings(mode, query), **kwargs)
        if query:
            missing = self.request.GET.get("missing", "").strip()
            context |= self._found(mode, query)
            if missing and "result" in context:
                context |= self._missing(query, missing)
        return context

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Search for the question of the form: as a page, or as events for who asks for them."""
        mode, query = _mode(request.POST.get("mode", "")), request.POST.get("q", "").strip()
        context = self._surroundings(mode, query)
        if query and request.headers.get("Accept") == MEDIA_TYPE:
            return self._streamed(mode, query, context)
        response = self.render_to_response({**context, "view": self, **(self._found(mode, query) if query else {})})
        response["Cache-Control"] = "no-store"
        return response

    def _streamed(self, mode: SearchMode, query: str, context: dict[str, Any]) -> HttpResponseBase:
        user = cast(User, self.request.user)

        def shown(result: SearchResult) -> dict[str, Any]:
            html = render_to_string("search/results.html", {**context, "result": result}, self.request)
            return {"html": html, "address": _address(mode, query) if mode.remembered else None}

        try:
            running = services.begin(user, query, mode=mode.name, by_file=True, explain=True)
        except OrchestraError as error:
            return self.render_to_response({**context, "error": error}, status=error.status)
        return EventStream(running, event_of, shown)

    def _found(self, mode: SearchMode, query: str) -> dict[str, Any]:
        try:
            user = cast(User, self.request.user)
            return {"result": services.search(user, query, mode=mode.name, by_file=True, explain=True)}
        except OrchestraError as error:
            return {"error": error}

    def _missing(self, query: str, missing: str) -> dict[str, Any]:
        try:
            return {"missing": missing, "absences": absences(cast(User, self.request.user), query, missing)}
        except OrchestraError as error:
            return {"error": error}

    def _surroundings(self, mode: SearchMode, query: str) -> dict[str, Any]:
        """Return what the page shows whatever is found."""
        user = cast(User, self.request.user)
        counts = counts_by_status(user)
        total, searchable = sum(counts.values()), sum(counts.get(status, 0) for status in SEARCHABLE)
        kept = query if mode.remembered else ""
        return {
            "query": query,
            "mode": mode,
            "private": not mode.remembered,
            "choices": [Choice(one, _address(one, kept)) for one in _allowed(user)],
            "total": total,
            "searchable": searchable,
            "not_searchable": total - searchable,
        }


def _mode(alias: str) -> SearchMode:
    return modes[alias if alias in settings.SEARCH_MODES else "basic"]


def _allowed(user: User) -> list[SearchMode]:
    every = [modes[alias] for alias in modes.aliases()]
    return [mode for mode in every if not mode.permission or user.has_perm(mode.permission)]


def _address(mode: SearchMode, query: str) -> str:
    """Return the page's address in a mode; with the question where the mode lets addresses hold it."""
    parts = {"q": query if mode.remembered else "", "mode": mode.name if mode.name != "basic" else ""}
    said = urlencode({name: value for name, value in parts.items() if value})
    return f"{reverse('search')}?{said}" if said else reverse("search")
