"""One shape for every error of the API: ``{"error": {"code", "message", "hint", "details"}}``."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import SimpleTemplateResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from orchestra.common.errors import DatabaseAway, OrchestraError, RateLimited

_RETRY_AFTER = {"Retry-After": "5"}
_DATABASE_AWAY = (OperationalError, InterfaceError)

_HINTS = {
    "not_authenticated": "Sign in, or send a token or an API key in the Authorization header.",
    "authentication_failed": "Check the token or key; an access token lives for 10 minutes.",
    "token_not_valid": "Get a new access token from /api/auth/refresh or sign in again.",
    "no_active_account": "Check the name and the password.",
    "permission_denied": "Ask who runs this server; with a session, send X-CSRFToken.",
    "not_acceptable": "Accept application/json.",
    "unsupported_media_type": "Send application/json, or what /docs says of this address.",
    "not_found": "Check the id; it may have been deleted.",
    "invalid": "Correct the fields named in details.",
    "parse_error": "Send valid JSON.",
    "method_not_allowed": "See /docs for the methods of this address.",
}


def error_body(code: str, message: str, hint: str = "", details: object = None) -> dict[str, Any]:
    """Return the JSON body of an error."""
    return {"error": {"code": code, "message": message, "hint": hint, "details": details or {}}}


def hint_of(code: str, http_status: int) -> str:
    """Return what to do about an error of the framework's; empty where nothing is known."""
    by_status = "authentication_failed" if http_status == status.HTTP_401_UNAUTHORIZED else ""
    return _HINTS.get(code) or _HINTS.get(by_status, "")


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of a view into the product's error response; None lets Django answer 500."""
    if isinstance(exc, _DATABASE_AWAY):
        exc = DatabaseAway()
    if isinstance(exc, OrchestraError):
        set_rollback()
        body = error_body(exc.code, exc.message, exc.hint, exc.details)
        return Response(body, status=exc.status, headers=_when_again(exc))
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if not isinstance(exc, exceptions.APIException):
        return None
    set_rollback()
    return Response(_from_api_exception(exc), status=exc.status_code, headers=_headers(exc))


def _from_api_exception(exc: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        return error_body("invalid", "Some fields are not valid.", _HINTS["invalid"], exc.detail)
    detail: Any = exc.detail
    if isinstance(detail, dict):  # simplejwt puts its code inside
        code, message = str(detail.get("code", exc.default_code)), str(detail.get("detail", exc.default_detail))
    else:
        code, message = str(getattr(detail, "code", exc.default_code)), str(detail)
    sentence = message if message.endswith((".", "!", "?")) else f"{message}."
    return error_body(code, sentence, hint_of(code, exc.status_code))


def _when_again(error: OrchestraError) -> dict[str, str]:
    if isinstance(error, RateLimited):
        return {
            "Retry-After": str(error.wait),
            "RateLimit-Policy": f'"{error.policy}";q={error.quota};w={error.window}',
            "RateLimit": f'"{error.policy}";r=0;t={error.wait}',
        }
    if "retry_after" in error.details:
        return {"Retry-After": str(error.details["retry_after"])}
    return _RETRY_AFTER if error.status == status.HTTP_503_SERVICE_UNAVAILABLE else {}


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def _is_for_programs(request: HttpRequest) -> bool:
    return f"{request.path}/".startswith(("/api/", "/tus/", "/mcp/"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an unknown address: JSON for programs, a page elsewhere."""
    if _is_for_programs(request):
        body = error_body("not_found", "There is nothing at this address.", _HINTS["not_found"])
        return JsonResponse(body, status=status.HTTP_404_NOT_FOUND)
    from django.views.defaults import page_not_found

    return page_not_found(request, exception or Http404())


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a bug: JSON for programs, a page elsewhere; the log has the traceback under the request's id.

    A database that is away is no bug: it is said as such.
    """
    if isinstance(sys.exc_info()[1], _DATABASE_AWAY):
        return _database_away(request)
    if _is_for_programs(request):
        body = error_body(OrchestraError.code, OrchestraError.default_message, "Try again; the log says more.")
        return JsonResponse(body, status=status.HTTP_500_INTERNAL_SERVER_ERROR)
    from django.views.defaults import server_error as page

    return page(request)


def _database_away(request: HttpRequest) -> HttpResponse:
    error = DatabaseAway()
    if _is_for_programs(request):
        body = error_body(error.code, error.message, error.hint)
        return JsonResponse(body, status=error.status, headers=_RETRY_AFTER)
    # Without the request: its context would ask the database who is signed in.
    return SimpleTemplateResponse("503.html", status=error.status, headers=_RETRY_AFTER).render()
