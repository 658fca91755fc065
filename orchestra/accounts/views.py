"""The account page: who one is, password, sessions, API keys."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views import View

from orchestra.accounts import audit, browser_sessions, second_factor, services
from orchestra.accounts.forms import ProfileForm
from orchestra.accounts.models import ApiKey, AuditAction, User


class AccountView(LoginRequiredMixin, View):
    """The page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        return _page(request)


class ProfileView(LoginRequiredMixin, View):
    """Changes name and e-mail address."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Change them, or show what is wrong with them."""
        form = ProfileForm(request.POST, instance=User.objects.get(pk=cast(User, request.user).pk))
        if not form.is_valid():
            return _page(request, profile=form)
        form.save()
        messages.success(request, "Your name and address were saved.")
        return redirect("account")


class EndSessionView(LoginRequiredMixin, View):
    """Ends one of the caller's sessions."""

    def post(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """End it; where it is the caller's own, that is a sign-out."""
        if not browser_sessions.end(cast(User, request.user), session_id):
            raise Http404
        messages.success(request, "That session was ended.")
        return redirect(f"{reverse('account')}#sessions")


class EndOtherSessionsView(LoginRequiredMixin, View):
    """Ends all of the caller's sessions but this one."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """End them."""
        ended = browser_sessions.end_others(cast(User, request.user), request.session.session_key)
        messages.success(request, f"Sessions ended: {ended}.")
        return redirect(f"{reverse('account')}#sessions")


class SignOutEverywhereView(LoginRequiredMixin, View):
    """Ends whatever was given to the caller: sessions, tokens, API keys."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """End it all, this session too."""
        services.end_credentials(cast(User, request.user))
        request.session.flush()
        return redirect("sign-in")


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
            return redirect(f"{reverse('account')}#keys")
        user = cast(User, request.user)
        created = services.create_api_key(user, name)
        # Rendered here and not after a redirect: the plain key must not travel through the session's storage.
        response = _page(request, created=created)
        response["Cache-Control"] = "no-store"
        return response


class RevokeKeyView(LoginRequiredMixin, View):
    """Ends one of the caller's keys."""

    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Revoke and return to the account page."""
        services.revoke_api_key(get_object_or_404(ApiKey, pk=key_id, user=cast(User, request.user)))
        messages.success(request, "The key was revoked.")
        return redirect(f"{reverse('account')}#keys")


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    user = cast(User, request.user)
    is_on = second_factor.is_on(user)
    sections = {
        "profile": ProfileForm(instance=user),
        "has_second_factor": is_on,
        "codes_left": second_factor.recovery_codes_left(user) if is_on else 0,
        "sessions": browser_sessions.sessions_of(user, request.session.session_key),
        "api_keys": user.api_keys.all(),
    }
    return render(request, "accounts/account.html", {**sections, **context})
