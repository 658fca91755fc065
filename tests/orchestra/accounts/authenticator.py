"""The telephone of somebody with a second factor."""

from __future__ import annotations

from dataclasses import dataclass

import pyotp

from orchestra.accounts import second_factor
from orchestra.accounts.models import SecondFactor, User


@dataclass(frozen=True)
class Authenticator:
    """Makes codes of a user's key; `recovery_codes` are those that were shown."""

    user: User
    key: str
    recovery_codes: tuple[str, ...]

    def code(self, steps: int = 0) -> str:
        """Return the code of now, or of so many half minutes later; none that was used before stands in its way."""
        SecondFactor.objects.filter(user=self.user).update(last_step=0)
        totp = pyotp.TOTP(self.key)
        return totp.generate_otp(totp.timecode(_now()) + steps)


def _now() -> float:
    import time

    return time.time()


def key_of_draft(user: User) -> str:
    draft = second_factor.draft_of(user)
    assert draft is not None
    return draft.key.replace(" ", "")


def switched_on(user: User) -> Authenticator:
    """Switch a user's second factor on, as the page does."""
    second_factor.begin(user)
    key = key_of_draft(user)
    return Authenticator(user, key, tuple(second_factor.confirm(user, pyotp.TOTP(key).now())))
