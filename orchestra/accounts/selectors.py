"""Reads of accounts."""

from __future__ import annotations

from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError


class UserNotFound(OrchestraError):
    """A command names a user who does not exist."""

    code = "user_not_found"
    status = 404
    default_message = "There is no such user."
    default_hint = "Name one with --user, or create one: `manage.py createsuperuser`."


def user_for_command(username: str) -> User:
    """Return the active user that a command acts for: the one named, or the first administrator."""
    users = User.objects.filter(is_active=True)
    found = (
        users.filter(username=username).first()
        if username
        else users.filter(is_superuser=True).order_by("date_joined").first()
    )
    if found is None:
        raise UserNotFound
    return found
