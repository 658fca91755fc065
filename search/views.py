"""The search page: a plain GET form, so that a search can be linked, reloaded and made without JavaScript."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import TemplateView

from files.selectors import counts_by_status
from files.states import SEARCHABLE
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from search import services
from search.absence import absences


class SearchPage(LoginRequiredMixin, TemplateView):
    """One box and its hits."""

    template_name = "search/search.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Run the search of the address, if there is one."""
        query = self.request.GET.get("q", "").strip()
        user = cast(User, self.request.user)
        counts = counts_by_status(user)
        total, searchable = sum(counts.values()), sum(counts.get(status, 0) for status in SEARCHABLE)
        context = super().get_context_data(
            query=query, total=total, searchable=searchable, not_searchable=total - searchable, **kwargs
        )
        if query:
            missing = self.request.GET.get("missing", "").strip()
            try:
                context["result"] = services.search(user, query, by_file=True, explain=True)
                if missing:
                    context |= {"missing": missing, "absences": absences(user, query, missing)}
            except OrchestraError as exc:
                context["error"] = exc
        return context
