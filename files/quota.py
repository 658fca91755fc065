"""Whether a user's quota has room, and how many files and uploads one may have.

Uploads under way count with their whole size, and so does the trash. Called under a lock of the owner, so that requests
at once exceed nothing.
"""

from __future__ import annotations

from django.conf import settings

from files.errors import QuotaExceeded, TooManyFiles, TooManyUploads
from files.selectors import bytes_used, holdings, trash_sum
from orchestra.accounts.models import User


def require_quota(owner: User, size: int) -> None:
    """Raise QuotaExceeded unless `size` more bytes fit into the owner's quota; it says what the trash takes of it."""
    quota = owner.effective_quota
    if not quota:
        return
    used = bytes_used(owner)
    if used + size <= quota:
        return
    in_trash = trash_sum(owner).bytes
    if not in_trash:
        raise QuotaExceeded(quota=quota, used=used, needed=size)
    raise QuotaExceeded(
        f"{QuotaExceeded.default_message} The trash counts: {in_trash} of the {quota} bytes are in there.",
        hint="Empty the trash, delete files that you no longer need, or ask the administrator for more.",
        quota=quota,
        used=used,
        needed=size,
        in_trash=in_trash,
    )


def require_number(owner: User) -> None:
    """Raise TooManyFiles or TooManyUploads where one more upload would exceed what a user may have."""
    if not settings.MAX_FILES and not settings.MAX_UPLOADS:
        return
    has = holdings(owner)
    if settings.MAX_FILES and has.files >= settings.MAX_FILES:
        raise TooManyFiles(most=settings.MAX_FILES)
    if settings.MAX_UPLOADS and has.uploads >= settings.MAX_UPLOADS:
        raise TooManyUploads(most=settings.MAX_UPLOADS, retry_after=10)
