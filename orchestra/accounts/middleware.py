"""What is done for every request of a browser that is signed in."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve

from orchestra.accounts import browser_sessions, second_factor
from orchestra.accounts.errors import TwoFactorSetupRequired
from orchestra.accounts.models import User
from orchestra.common.api_errors import error_body

_OPEN = {"account-two-factor", "account-two-factor-action", "sign-in", "sign-in-code", "sign-out", "favicon"}
_FOR_PROGRAMS = ("/api/", "/tus/", "/mcp")


class SignedInMiddleware:
    """Notes where a session is used, and lets staff who must have a second factor and have none set one up only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        user = request.user
        if not isinstance(user, User) or not user.is_authenticated:
            return self._get_response(request)
        browser_sessions.note(request, user)
        if second_factor.is_missing(user) and _name_of(request) not in _OPEN:
            return _refused(request)
        return self._get_response(request)


def _refused(request: HttpRequest) -> HttpResponse:
    kind = TwoFactorSetupRequired
    if request.path.startswith(_FOR_PROGRAMS):
        return JsonResponse(error_body(kind.code, kind.default_message, kind.default_hint, {}), status=kind.status)
    messages.warning(request, kind.default_message)
    return redirect("account-two-factor")


def _name_of(request: HttpRequest) -> str | None:
    try:
        return resolve(request.path_info).view_name
    except Resolver404:
        return None
