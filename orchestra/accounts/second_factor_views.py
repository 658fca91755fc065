"""Signing in, in one step or two, and the page on which the second factor is set up and switched off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from orchestra.accounts import second_factor, second_step
from orchestra.accounts.forms import SignInForm
from orchestra.accounts.models import User
from orchestra.accounts.qr_code import qr_code
from orchestra.common.errors import OrchestraError


class SignInView(LoginView):
    """Asks for name and password, and goes on to the code where the account has a second factor."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, or remember that the password was right."""
        user = form.get_user()
        if not second_factor.is_on(user):
            return super().form_valid(form)
        second_step.hold(self.request, user, self.get_success_url())
        return redirect("sign-in-code")


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class SignInCodeView(View):
    """Asks for the code, of somebody whose password was right a moment ago."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        if second_step.held(request) is None:
            return redirect("sign-in")
        return render(request, "accounts/sign_in_code.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Look at the code and sign in."""
        user = second_step.held(request)
        if user is None:
            messages.warning(request, "That took too long. Begin with your name and password again.")
            return redirect("sign-in")
        try:
            return redirect(second_step.finish(request, user, _field(request, "code")))
        except OrchestraError as error:
            return render(request, "accounts/sign_in_code.html", {"error": error})


@method_decorator(never_cache, name="dispatch")
class TwoFactorView(LoginRequiredMixin, View):
    """Whether the second factor is on, and what can be done about it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it."""
        return _page(request)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class TwoFactorActionView(LoginRequiredMixin, View):
    """Sets the second factor up, makes recovery codes, switches it off."""

    def post(self, request: HttpRequest, action: str) -> HttpResponse:
        """Do it; what shows codes is rendered here, because they must not travel through the session's storage."""
        act = _ACTIONS.get(action)
        if act is None:
            raise Http404
        try:
            return act(request, cast(User, request.user))
        except OrchestraError as error:
            return _page(request, error=error, failed=action)


def _start(request: HttpRequest, user: User) -> HttpResponse:
    second_factor.begin(user)
    return redirect("account-two-factor")


def _confirm(request: HttpRequest, user: User) -> HttpResponse:
    return _page(request, codes=second_factor.confirm(user, _field(request, "code")), is_new=True)


def _codes(request: HttpRequest, user: User) -> HttpResponse:
    second_step.show_oneself(request, user, _field(request, "password"), _field(request, "code"))
    return _page(request, codes=second_factor.renew_recovery_codes(user))


def _off(request: HttpRequest, user: User) -> HttpResponse:
    second_step.show_oneself(request, user, _field(request, "password"), _field(request, "code"))
    second_factor.switch_off(user)
    messages.success(request, "The second factor is off. Your password alone signs you in.")
    return redirect("account-two-factor")


_ACTIONS: dict[str, Callable[[HttpRequest, User], HttpResponse]] = {
    "start": _start,
    "confirm": _confirm,
    "codes": _codes,
    "off": _off,
}


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    user = cast(User, request.user)
    is_on = second_factor.is_on(user)
    draft = None if is_on else second_factor.draft_of(user)
    context |= {
        "is_on": is_on,
        "is_missing": second_factor.is_missing(user),
        "codes_left": second_factor.recovery_codes_left(user) if is_on else 0,
        "draft": draft,
        "qr_code": qr_code(draft.address) if draft else "",
    }
    return render(request, "accounts/two_factor.html", context)


def _field(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "")[:200]
