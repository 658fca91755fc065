"""Whether a user's quota has room. Uploads under way count with their whole size, and so does the trash."""

from __future__ import annotations

from files.errors import QuotaExceeded
from files.selectors import bytes_used, trash_sum
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
