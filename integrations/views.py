"""The pages on which a connection is made, changed, tried and removed. Plain forms; they work without a script.

The page that lists connections is `files.import_views`: it tells what they import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from integrations import selectors, services
from integrations.base import Provider
from integrations.errors import ConnectionInvalid, ConnectionNotFound, ConnectionNotYours
from integrations.forms import ConnectionForm
from integrations.models import ExternalIntegration
from integrations.registry import PROVIDERS
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError, kind_of_error

EDITOR = "integrations/connection.html"


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def connection_or_404(request: HttpRequest, integration_id: UUID) -> ExternalIntegration:
    """Return a connection that the caller may change. Raises Http404, or PermissionDenied for the installation's."""
    try:
        return selectors.connection_to_change(_user(request), integration_id)
    except ConnectionNotFound as exc:
        raise Http404 from exc
    except ConnectionNotYours as exc:
        raise PermissionDenied(exc.message) from exc


class NewConnectionPage(LoginRequiredMixin, View):
    """The form for a connection to one provider."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show an empty form."""
        return render(request, EDITOR, {"form": self._form(request)})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make the connection and try it, or try what was typed and keep nothing."""
        form, user = self._form(request), _user(request)

        def save(values: dict[str, str]) -> ExternalIntegration:
            owner = None if form.cleaned_data.get("installation") else user
            return services.connect(owner, form.provider.name, form.cleaned_data["name"], values)

        return _answered(request, form, save)

    def _form(self, request: HttpRequest) -> ConnectionForm:
        provider = PROVIDERS.get(request.GET.get("provider", ""))
        if provider is None:
            raise Http404
        sent = request.POST if request.method == "POST" else None
        return ConnectionForm(provider, sent, may_share=_user(request).is_staff)


class ConnectionPage(LoginRequiredMixin, View):
    """One connection: how it does, and the form that changes it."""

    def get(self, request: HttpRequest, integration_id: UUID) -> HttpResponse:
        """Show the form with what is stored, without the secrets."""
        connection = connection_or_404(request, integration_id)
        form = ConnectionForm(_provider_or_404(connection), connection=connection)
        return render(request, EDITOR, {"form": form, **_shown(connection)})

    def post(self, request: HttpRequest, integration_id: UUID) -> HttpResponse:
        """Change the connection and try it, or try what was typed and keep nothing."""
        connection = connection_or_404(request, integration_id)
        form = ConnectionForm(_provider_or_404(connection), request.POST, connection=connection)

        def save(values: dict[str, str]) -> ExternalIntegration:
            return services.change(connection, name=form.cleaned_data["name"], values=values)

        return _answered(request, form, save, connection)


class ConnectionActionView(LoginRequiredMixin, View):
    """Test, switch on and off, remove: buttons on pages."""

    def post(self, request: HttpRequest, integration_id: UUID, action: str) -> HttpResponse:
        """Do the action and go back to the list."""
        if action not in _ACTIONS:
            raise Http404
        connection = connection_or_404(request, integration_id)
        try:
            _ACTIONS[action](request, connection)
        except OrchestraError as exc:
            messages.error(request, f"{exc.message} {exc.hint}")
        return redirect("integrations")


def _test(request: HttpRequest, connection: ExternalIntegration) -> None:
    verdict = services.test(connection)
    said = f"{connection.name}: {verdict.message} {verdict.hint}"
    (messages.success if verdict.works else messages.error)(request, said)


def _switch(request: HttpRequest, connection: ExternalIntegration, *, on: bool) -> None:
    services.change(connection, enabled=on)
    messages.success(request, f"{connection.name} is switched {'on' if on else 'off'}.")


def _remove(request: HttpRequest, connection: ExternalIntegration) -> None:
    services.disconnect(connection)
    messages.success(request, f"{connection.name} was removed, with its credentials.")


_ACTIONS: dict[str, Callable[[HttpRequest, ExternalIntegration], None]] = {
    "test": _test,
    "on": lambda request, connection: _switch(request, connection, on=True),
    "off": lambda request, connection: _switch(request, connection, on=False),
    "remove": _remove,
}


def _provider_or_404(connection: ExternalIntegration) -> Provider:
    """Return the provider of a connection. Raises Http404 where this version has it no longer."""
    if connection.provider not in PROVIDERS:
        raise Http404
    return PROVIDERS[connection.provider]


def _answered(
    request: HttpRequest,
    form: ConnectionForm,
    save: Callable[[dict[str, str]], ExternalIntegration],
    connection: ExternalIntegration | None = None,
) -> HttpResponse:
    """Try or save what a form says; or show it again, with what is wrong. What is tried alone is no bad request."""
    context: dict[str, Any] = {"form": form, **(_shown(connection) if connection else {})}
    if form.is_valid():
        try:
            if "try" in request.POST:
                context["verdict"] = services.try_out(form.provider.name, form.values(), connection=connection)
                return render(request, EDITOR, context)
            return _saved(request, save(form.values()))
        except ConnectionInvalid as exc:
            form.add_wrong(exc)
        except OrchestraError as exc:
            context["error"] = exc
    error = context.get("error")
    status = error.status if error else 400
    return render(request, EDITOR, context, status=200 if "try" in request.POST else status)


def _saved(request: HttpRequest, connection: ExternalIntegration) -> HttpResponse:
    """Test what was saved: to the list where it works, else to its form with what is wrong."""
    verdict = services.test(connection)
    if verdict.works:
        messages.success(request, f"{connection.name} is connected. {verdict.message} {verdict.hint}")
        return redirect("integrations")
    messages.error(request, f"{connection.name} was saved, but it does not work yet. {verdict.message} {verdict.hint}")
    return redirect("integration", integration_id=connection.pk)


def _shown(connection: ExternalIntegration) -> dict[str, Any]:
    """Return what the page shows of a connection beside its form."""
    kind = kind_of_error(connection.error_code) if connection.error_code else None
    return {
        "connection": connection,
        "state": selectors.state_of(connection),
        "hint": kind.default_hint if kind else "",
        "imports": selectors.brings_documents(connection),
    }
