"""The second factor: a code of six digits that changes every thirty seconds (TOTP, RFC 6238), or a recovery code.

The key is sealed in its row. Whether a code is right is decided by one statement, so that two requests with the same
one cannot both be let in. `orchestra.accounts.second_step` asks for codes at a sign-in and counts the tries.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from orchestra.accounts import audit
from orchestra.accounts.errors import TwoFactorCodeWrong, TwoFactorNotBegun
from orchestra.accounts.models import AuditAction, RecoveryCode, SecondFactor, User
from orchestra.common.identifiers import new_id
from orchestra.common.sealing import Credentials, seal, unseal

RECOVERY_CODES = 10
_ISSUER = "Orchestra"
_NAME = "key"
_DRIFT = 1  # steps of thirty seconds that a device's clock may be off, before and behind
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what looks alike
_GROUPS, _GROUP = 5, 5  # 25 signs: 123 bits, for which one hash is enough
_CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Draft:
    """A key that waits for its first code: in groups of four, and as the address that a QR code holds."""

    key: str = field(repr=False)
    address: str = field(repr=False)


def is_on(user: User) -> bool:
    """Tell whether the user is asked for a code."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def is_missing(user: User) -> bool:
    """Tell whether the installation wants a second factor of this user, who has none."""
    return bool(settings.STAFF_TWO_FACTOR and user.is_staff and not is_on(user))


def begin(user: User) -> None:
    """Make a new key, which asks for nothing until it is confirmed. Raises TwoFactorNotBegun where one is on."""
    import pyotp

    row = SecondFactor(id=new_id(), user=user)
    row.secret = seal(Credentials({_NAME: pyotp.random_base32()}), row.pk)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # in turn
        if is_on(user):
            raise TwoFactorNotBegun
        SecondFactor.objects.filter(user=user).delete()
        row.save()


def draft_of(user: User) -> Draft | None:
    """Return the key that waits for its first code, if one does. Raises CredentialsUnreadable."""
    import pyotp

    row = SecondFactor.objects.filter(user=user, confirmed_at__isnull=True).first()
    if row is None:
        return None
    key = _key_of(row)
    address = pyotp.TOTP(key).provisioning_uri(name=user.username, issuer_name=_ISSUER)
    return Draft(" ".join(key[at : at + 4] for at in range(0, len(key), 4)), address)


def confirm(user: User, code: str) -> list[str]:
    """Switch it on by its first code, and return the recovery codes, which are shown this once.

    Raises TwoFactorNotBegun, TwoFactorCodeWrong, or CredentialsUnreadable.
    """
    with transaction.atomic():
        row = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at__isnull=True).first()
        if row is None:
            raise TwoFactorNotBegun
        row.last_step, row.confirmed_at = _step_of(row, code), Now()
        row.save(update_fields=["last_step", "confirmed_at"])
        audit.record(AuditAction.TWO_FACTOR_ON, owner_id=user.pk)
        return _new_codes(row)


def accept(user: User, code: str) -> None:
    """Take a code, which is worth nothing from now on. Raises TwoFactorCodeWrong, or CredentialsUnreadable."""
    row = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    if row is None:
        raise TwoFactorCodeWrong
    digest = _digest(row, code)
    with transaction.atomic():
        if RecoveryCode.objects.filter(factor=row, digest=digest, used_at=None).update(used_at=Now()):
            audit.record(AuditAction.RECOVERY_CODE_USED, owner_id=user.pk)
            return
    step = _step_of(row, code)
    if not SecondFactor.objects.filter(pk=row.pk, last_step__lt=step).update(last_step=step):
        raise TwoFactorCodeWrong


def renew_recovery_codes(user: User) -> list[str]:
    """Return new recovery codes, shown this once; older ones end. Raises TwoFactorNotBegun where it is off."""
    with transaction.atomic():
        row = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at__isnull=False).first()
        if row is None:
            raise TwoFactorNotBegun
        audit.record(AuditAction.RECOVERY_CODES_MADE, owner_id=user.pk)
        return _new_codes(row)


def recovery_codes_left(user: User) -> int:
    """Return how many of the user's recovery codes were not used."""
    return RecoveryCode.objects.filter(factor__user=user, used_at=None).count()


def switch_off(user: User) -> None:
    """Ask for codes no more. What the user must show before is the caller's matter."""
    _remove(user, AuditAction.TWO_FACTOR_OFF)


def reset(user: User) -> bool:
    """Take the second factor away from somebody who lost the device; return whether there was one."""
    return _remove(user, AuditAction.TWO_FACTOR_RESET)


def _remove(user: User, action: AuditAction) -> bool:
    with transaction.atomic():
        removed, _ = SecondFactor.objects.filter(user=user).delete()
        if removed:
            audit.record(action, subject=f"user {user.pk}", owner_id=user.pk)
    return bool(removed)


def _key_of(row: SecondFactor) -> str:
    return unseal(bytes(row.secret), row.pk).values[_NAME]


def _step_of(row: SecondFactor, code: str) -> int:
    """Return the thirty seconds, counted from 1970, whose code this is. Raises TwoFactorCodeWrong."""
    import pyotp

    plain = "".join(code.split())
    if not _CODE.fullmatch(plain):
        raise TwoFactorCodeWrong
    try:
        return pyotp.TOTP(_key_of(row)).verify_and_get_timecode(plain, valid_window=_DRIFT)
    except pyotp.OTPVerificationError as exc:
        raise TwoFactorCodeWrong from exc


def _new_codes(row: SecondFactor) -> list[str]:
    row.recovery_codes.all().delete()
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(factor=row, digest=_digest(row, code)) for code in codes)
    return codes


def _new_code() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def _digest(row: SecondFactor, code: str) -> str:
    """Return what is stored of a code, however its letters and groups were typed."""
    plain = "".join(code.split()).replace("-", "").casefold()
    return hashlib.sha256(row.pk.bytes + plain.encode(errors="replace")).hexdigest()
