"""The account page: API keys and password."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views import View
from django.views.generic import TemplateView

from orchestra.accounts import audit, services
from orchestra.accounts.models import ApiKey, AuditAction, User


class AccountView(LoginRequiredMixin, TemplateView):
    """Preferences, API keys."""

    template_name = "accounts/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the caller's keys."""
        user = cast(User, self.request.user)
        return super().get_context_data(api_keys=user.api_keys.all(), **kwargs)


class PasswordView(LoginRequiredMixin, PasswordChangeView):
    """Change the password; every token given out before ends with it."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        """Change it and write that down."""
        with transaction.atomic():
            response = super().form_valid(form)
            audit.record(AuditAction.PASSWORD_CHANGED, owner_id=cast(User, self.request.user).pk)
        return response


class CreateKeyView(LoginRequiredMixin, View):
    """Makes a key and shows its text, this once."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make a key named by the form."""
        name = request.POST.get("name", "").replace("\x00", "").strip()[:100]
        if not name:
            messages.error(request, "Give the key a name, so that you know later what uses it.")
            return redirect("account")
        user = cast(User, request.user)
        created = services.create_api_key(user, name)
        # Rendered here and not after a redirect: the plain key must not travel through the session's storage.
        context = {"api_keys": user.api_keys.all(), "created": created}
        response = render(request, "accounts/account.html", context)
        response["Cache-Control"] = "no-store"
        return response


class RevokeKeyView(LoginRequiredMixin, View):
    """Ends one of the caller's keys."""

    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Revoke and return to the account page."""
        services.revoke_api_key(get_object_or_404(ApiKey, pk=key_id, user=cast(User, request.user)))
        messages.success(request, "The key was revoked.")
        return redirect("account")
