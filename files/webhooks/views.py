"""The pages of webhooks: the list, one webhook with the log of what it was sent. Plain forms, no script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from files.errors import WebhookInvalid, WebhookNotFound
from files.models import DeliveryState, Webhook
from files.webhooks import delivering, selectors, subscribing
from files.webhooks.forms import WebhookForm
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError, kind_of_error
from orchestra.common.keyed_pages import page_by_key

DELIVERIES_SHOWN = 50
_LIST = "integrations/webhooks.html"
_ONE = "integrations/webhook.html"


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _webhook_or_404(request: HttpRequest, webhook_id: UUID) -> Webhook:
    try:
        return selectors.get_webhook(_user(request), webhook_id)
    except WebhookNotFound as exc:
        raise Http404 from exc


class WebhooksPage(LoginRequiredMixin, View):
    """The caller's webhooks, and the form for one more."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the list."""
        return render(request, _LIST, {"webhooks": selectors.webhooks_of(_user(request)), "form": WebhookForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make a webhook and show its secret, this once; or the form again, with what is wrong."""
        form, error = WebhookForm(request.POST), None
        if form.is_valid():
            try:
                created = subscribing.create(_user(request), **form.cleaned_data)
                # Rendered here and not after a redirect: the secret must not travel through the session's storage.
                response = render(request, _ONE, {**_shown(request, created.webhook), "created": created})
                response["Cache-Control"] = "no-store"
                return response
            except WebhookInvalid as exc:
                form.add_error("url", f"{exc.message} {exc.hint}")
            except OrchestraError as exc:
                error = exc
        context = {"webhooks": selectors.webhooks_of(_user(request)), "form": form, "error": error}
        return render(request, _LIST, context, status=error.status if error else 400)


class WebhookPage(LoginRequiredMixin, View):
    """One webhook: how it does, the form that changes it, what it was sent."""

    def get(self, request: HttpRequest, webhook_id: UUID) -> HttpResponse:
        """Show it."""
        return render(request, _ONE, _shown(request, _webhook_or_404(request, webhook_id)))

    def post(self, request: HttpRequest, webhook_id: UUID) -> HttpResponse:
        """Change address and events."""
        webhook = _webhook_or_404(request, webhook_id)
        form = WebhookForm(request.POST, webhook=webhook)
        if form.is_valid():
            try:
                subscribing.change(webhook, **form.cleaned_data)
                messages.success(request, "The webhook was saved.")
                return redirect("webhook", webhook_id=webhook.pk)
            except WebhookInvalid as exc:
                form.add_error("url", f"{exc.message} {exc.hint}")
        return render(request, _ONE, {**_shown(request, webhook), "form": form}, status=400)


class WebhookActionView(LoginRequiredMixin, View):
    """Test, switch on and off, delete: buttons on the page."""

    def post(self, request: HttpRequest, webhook_id: UUID, action: str) -> HttpResponse:
        """Do the action and go to where it leaves the user."""
        if action not in _ACTIONS:
            raise Http404
        webhook = _webhook_or_404(request, webhook_id)
        _ACTIONS[action](request, webhook)
        return redirect("webhooks") if action == "delete" else redirect("webhook", webhook_id=webhook_id)


def _test(request: HttpRequest, webhook: Webhook) -> None:
    delivery = delivering.ping(webhook)
    if delivery.state == DeliveryState.DELIVERED:
        messages.success(request, f"The test was delivered: it answered {delivery.response_status}.")
        return
    if delivery.response_status is not None:
        messages.error(request, f"The test was not taken: it answered {delivery.response_status}, and not 2xx.")
        return
    kind = kind_of_error(delivery.error_code) or OrchestraError
    messages.error(request, f"The test was not delivered. {kind.default_message} {kind.default_hint}")


def _switch_on(request: HttpRequest, webhook: Webhook) -> None:
    subscribing.change(webhook, enabled=True)
    messages.success(request, "The webhook is switched on, and begins anew.")


def _switch_off(request: HttpRequest, webhook: Webhook) -> None:
    subscribing.change(webhook, enabled=False)
    messages.success(request, "The webhook is switched off. What happens meanwhile is not sent later.")


def _delete(request: HttpRequest, webhook: Webhook) -> None:
    subscribing.delete(webhook)
    messages.success(request, "The webhook was deleted, with its log.")


_ACTIONS: dict[str, Callable[[HttpRequest, Webhook], None]] = {
    "test": _test,
    "on": _switch_on,
    "off": _switch_off,
    "delete": _delete,
}


def _shown(request: HttpRequest, webhook: Webhook) -> dict[str, Any]:
    """Return what the page shows of a webhook."""
    log = page_by_key(
        selectors.deliveries_of(webhook), request.GET.get("after", ""), DELIVERIES_SHOWN, newest_first=True
    )
    return {"webhook": webhook, "log": log, "form": WebhookForm(webhook=webhook)}
