"""How often a password may be tried: per account and per address, counted in the database before it is looked at.

Each try takes from two buckets that fill again within ten minutes; one statement takes or refuses, so that tries which
come at once cannot exceed them. An address from which an account was signed in before has a bucket of its own for it:
who guesses elsewhere does not lock its user out. Whether the account exists changes nothing.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import ClassVar

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from orchestra.accounts.models import SignInBucket
from orchestra.common.errors import RateLimited

_FULL_AGAIN_AFTER = 600  # seconds from an empty bucket to a full one
_FORGOTTEN_AFTER = timedelta(days=90)  # an address from which an account was signed in
_IPV6_SITE = 64  # bits that name a site: within one, a machine takes any address it likes

_LEFT = "greatest(0, b.level - %(rate)s * extract(epoch FROM clock_timestamp() - b.updated_at))"
_TAKE = f"""
INSERT INTO accounts_signinbucket AS b (key, level, known, updated_at)
VALUES (%(key)s, 1, false, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET level = {_LEFT} + 1, updated_at = clock_timestamp()
WHERE {_LEFT} + 1 <= %(capacity)s
RETURNING 0
"""  # noqa: S608  # constants of this module
_WAIT = f"SELECT ({_LEFT} + 1 - %(capacity)s) / %(rate)s FROM accounts_signinbucket b WHERE key = %(key)s"  # noqa: S608
_KNOW = """
INSERT INTO accounts_signinbucket (key, level, known, updated_at) VALUES (%(key)s, 0, true, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET level = 0, known = true, updated_at = clock_timestamp()
"""
_GIVE_BACK = "UPDATE accounts_signinbucket SET level = greatest(0, level - 1) WHERE key = %(key)s"


class TooManySignIns(RateLimited):
    """So many passwords were tried that the next one is not looked at."""

    code: ClassVar[str] = "too_many_sign_ins"
    default_message: ClassVar[str] = "Too many tries to sign in."
    policy: ClassVar[str] = "sign-in"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try to sign in: the name as it was typed, and the address that it came from, if any."""

    name: str
    address: str | None

    @property
    def _account(self) -> str:
        return unicodedata.normalize("NFKC", self.name).casefold()

    @property
    def by_address(self) -> str:
        """The key of the address's bucket."""
        return _key("address", _site(self.address or ""))

    @property
    def by_account(self) -> str:
        """The key of the account's bucket, for addresses that it does not know."""
        return _key("account", self._account)

    @property
    def by_both(self) -> str:
        """The key of the account's bucket for this address."""
        return _key("account at address", self._account, _site(self.address or ""))


def admit(attempt: Attempt) -> None:
    """Count a try before its password is looked at. Raises TooManySignIns."""
    most = settings.SIGN_IN_ATTEMPTS
    if not most:
        return
    if attempt.address:
        _take(attempt.by_address, most * settings.SIGN_IN_ACCOUNTS_PER_ADDRESS)
    known = attempt.address and SignInBucket.objects.filter(key=attempt.by_both, known=True).exists()
    _take(attempt.by_both if known else attempt.by_account, most)


def succeeded(attempt: Attempt) -> None:
    """Give back what a right password took, and know its address from now on."""
    with connection.cursor() as cursor:
        if attempt.address:
            cursor.execute(_GIVE_BACK, {"key": attempt.by_address})
            cursor.execute(_KNOW, {"key": attempt.by_both})
        cursor.execute(_GIVE_BACK, {"key": attempt.by_account})


def let_in_again(name: str) -> None:
    """Forget the tries for an account, at its user's wish."""
    SignInBucket.objects.filter(key=Attempt(name, None).by_account).delete()


def forget_old() -> int:
    """Delete buckets that are full again, and addresses that were not used for long; return how many."""
    full = SignInBucket.objects.filter(known=False, updated_at__lt=Now() - timedelta(seconds=_FULL_AGAIN_AFTER))
    unused = SignInBucket.objects.filter(known=True, updated_at__lt=Now() - _FORGOTTEN_AFTER)
    return full.delete()[0] + unused.delete()[0]


def _take(key: str, capacity: int) -> None:
    values: dict[str, str | float] = {"key": key, "capacity": capacity, "rate": capacity / _FULL_AGAIN_AFTER}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        if cursor.fetchone() is None:
            cursor.execute(_WAIT, values)
            row = cursor.fetchone()
            raise TooManySignIns(float(row[0]) if row else 1.0, quota=capacity, window=_FULL_AGAIN_AFTER)


def _site(address: str) -> str:
    """Return what counts as one address: of IPv6, the network of a site; of what is no address, the text."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if known.version == 6 and known.ipv4_mapped is None:
        return str(ip_network((known, _IPV6_SITE), strict=False))
    return str(known.ipv4_mapped if known.version == 6 else known)


def _key(*parts: str) -> str:
    """Return a bucket's name. Names and addresses are not kept in clear."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
