"""The page of integrations, and those of imports: begun now, watched while they go on, read line by line.

A connection itself is made and changed on the pages of `integrations.views`. Of the installation's connections who is
no staff sees the name and whether it works.
"""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views import View
from django.views.generic import TemplateView

from files import connection_cards, import_runs, import_selectors
from files.errors import ImportNotFound
from files.models import ImportAction
from files.webhooks.selectors import webhooks_of
from integrations.llm import language_models
from integrations.models import ExternalIntegration
from integrations.selectors import brings_documents
from integrations.usage import this_month
from integrations.views import connection_or_404
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from orchestra.common.keyed_pages import page_by_key

ENTRIES_SHOWN = 100


class IntegrationsPage(LoginRequiredMixin, TemplateView):
    """Every connection with its state, and what can be connected."""

    template_name = "integrations/integrations.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the cards, this month's calls of models, and the webhooks."""
        user = cast(User, self.request.user)
        month = this_month(user)
        groups = connection_cards.groups_of(user, month)
        webhooks = list(webhooks_of(user))
        return super().get_context_data(
            groups=groups,
            none_yet=not webhooks and not any(group.cards for group in groups),
            month=month,
            by_setting="default" in language_models.aliases(),
            webhooks=webhooks,
            failing=sum(not webhook.enabled or bool(webhook.failures) for webhook in webhooks),
            **kwargs,
        )


class ImportNowView(LoginRequiredMixin, View):
    """Begins an import."""

    def post(self, request: HttpRequest, integration_id: UUID) -> HttpResponse:
        """Ask for an import, and show it."""
        connection = _source_or_404(request, integration_id)
        try:
            run = import_runs.ask(connection)
        except OrchestraError as exc:
            messages.error(request, f"{exc.message} {exc.hint}")
            return redirect("imports", integration_id=connection.pk)
        return redirect("import-run", import_id=run.pk)


class ImportsPage(LoginRequiredMixin, TemplateView):
    """The last imports of a connection."""

    template_name = "integrations/imports.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the connection's card and its runs."""
        user, connection = cast(User, self.request.user), _source_or_404(self.request, kwargs["integration_id"])
        card = connection_cards.card_of(user, connection, this_month(user))
        return super().get_context_data(card=card, runs=import_selectors.kept_runs(connection), **kwargs)


class ImportRunPage(LoginRequiredMixin, TemplateView):
    """One import: its numbers, which grow while it goes on, and its log."""

    template_name = "integrations/import_run.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the run and a page of its log."""
        user = cast(User, self.request.user)
        try:
            run = import_selectors.get_run(user, kwargs["import_id"])
        except ImportNotFound as exc:
            raise Http404 from exc
        action = self.request.GET.get("action", "")
        entries = import_selectors.entries_of(run, action)
        counts = import_selectors.counts_of(run)
        return super().get_context_data(
            run=run,
            connection=run.integration,
            log=page_by_key(entries, self.request.GET.get("after", ""), ENTRIES_SHOWN),
            written=sum(counts.values()),
            filters=[(kind, counts[kind], kind == action) for kind in ImportAction if counts.get(kind)],
            chosen=action in ImportAction,
            **kwargs,
        )


def _source_or_404(request: HttpRequest, integration_id: UUID) -> ExternalIntegration:
    """Return a connection of the caller's that brings documents. Raises Http404, or PermissionDenied."""
    connection = connection_or_404(request, integration_id)
    if not brings_documents(connection):
        raise Http404
    return connection
