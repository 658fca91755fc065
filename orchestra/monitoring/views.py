"""The status page: every check of doctor, charts, and the report for whoever mends it. For staff."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import TemplateView, View

from orchestra.common.staff import StaffOnly
from orchestra.monitoring import charts, findings
from orchestra.monitoring.checks import registry
from orchestra.monitoring.report import report


class StatusPage(StaffOnly, TemplateView):
    """What was found last, at once; its script then runs again what is older than a minute."""

    template_name = "monitoring/status.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return cards, charts and the report."""
        cards = findings.cards()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            now = cursor.fetchone()[0]
        return {
            **super().get_context_data(**kwargs),
            "cards": cards,
            "failing": sum(card.ok is False for card in cards),
            "unknown": sum(card.ok is None for card in cards),
            "spans": charts.SPANS,
            "charts": charts.charts(charts.span_of(self.request.GET.get("span", "")), now),
            "report": json.dumps(report(), indent=2),
        }


class RunView(StaffOnly, View):
    """Runs every check, or the one that the field `check` names."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Run, and go back to the page; a script gets the card alone."""
        check = request.POST.get("check", "")
        card = findings.card_of(check)
        if check and card is None:
            raise Http404
        findings.run([card.name] if card else registry.names())
        if card and request.headers.get("X-Fragment"):
            return render(request, "monitoring/_card.html", {"card": findings.card_of(check)})
        return HttpResponseRedirect(reverse("system-status") + (f"#check-{check}" if card else ""))


class ReportView(StaffOnly, View):
    """The report, as the page's script reads it after a check was run."""

    def get(self, request: HttpRequest) -> JsonResponse:
        """Answer the report."""
        return JsonResponse(report(), json_dumps_params={"indent": 2}, headers={"Cache-Control": "no-store"})
