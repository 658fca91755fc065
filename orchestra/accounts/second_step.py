"""The second step of a sign-in: between the right password and the right code nobody is signed in.

Before it: `orchestra.accounts.backends`, which looks at the password. Tries are counted like those of passwords, for
each account and each address, in buckets of their own.
"""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import authenticate, login
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from orchestra.accounts import audit, second_factor, sign_in
from orchestra.accounts.errors import PasswordWrong, TwoFactorCodeWrong
from orchestra.accounts.models import AuditAction, User
from orchestra.accounts.sign_in import Attempt

HELD_SECONDS = 300
_HELD = "second_step"
BACKEND = "orchestra.accounts.backends.PasswordBackend"


def note_sign_in(user: User, attempt: Attempt) -> None:
    """Write down that somebody is signed in, and give back what the tries took."""
    sign_in.succeeded(attempt)
    audit.record(AuditAction.SIGNED_IN, owner_id=user.pk)


def take_code(user: User, code: str, address: str | None) -> None:
    """Count a try, then look at the code. Raises TooManySignIns, TwoFactorCodeWrong, or CredentialsUnreadable."""
    # No name can be typed with a NUL in it: who tries passwords takes nothing from this bucket.
    attempt = Attempt(f"\0code of {user.pk}", address)
    sign_in.admit(attempt)
    try:
        second_factor.accept(user, code)
    except TwoFactorCodeWrong:
        audit.record(AuditAction.SIGN_IN_FAILED, subject=f"code of user {user.pk}")
        raise
    sign_in.succeeded(attempt)


def pass_with_code(user: User, code: str, address: str | None) -> None:
    """Take the code of a sign-in whose password was right. Raises what `take_code` does."""
    take_code(user, code, address)
    note_sign_in(user, Attempt(user.username, address))


def show_oneself(request: HttpRequest, user: User, password: str, code: str) -> None:
    """Ask somebody who is signed in for password and code again.

    Raises PasswordWrong, and what `take_code` does.
    """
    if authenticate(request, username=user.username, password=password) != user:
        raise PasswordWrong
    take_code(user, code, _address_of(request))
    sign_in.succeeded(Attempt(user.username, _address_of(request)))


def hold(request: HttpRequest, user: User, goes_to: str) -> None:
    """Remember that the password was right, for five minutes and under a new session key."""
    request.session.cycle_key()
    request.session[_HELD] = {
        "user": str(user.pk),
        "bound_to": user.get_session_auth_hash(),
        "at": time.time(),
        "goes_to": goes_to,
    }


def held(request: HttpRequest) -> User | None:
    """Return the user whose code is waited for; None where nobody's is, or no longer."""
    found: dict[str, Any] | None = request.session.get(_HELD)
    if found is None or not 0 <= time.time() - found["at"] <= HELD_SECONDS:
        return None
    user = User.objects.filter(pk=found["user"], is_active=True).first()
    if user is None or not constant_time_compare(found["bound_to"], user.get_session_auth_hash()):
        return None
    return user


def finish(request: HttpRequest, user: User, code: str) -> str:
    """Sign the user in by the code, and return where to go. Raises what `take_code` does."""
    pass_with_code(user, code, _address_of(request))
    goes_to = str(request.session.pop(_HELD)["goes_to"])
    login(request, user, backend=BACKEND)
    return goes_to


def _address_of(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR")
