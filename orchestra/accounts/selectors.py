"""Reads of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import Group
from django.db.models import Max, OuterRef, Q, Subquery
from django.db.models.functions import Greatest

from orchestra.accounts.models import ApiKey, BrowserSession, User
from orchestra.common.errors import OrchestraError

PEOPLE_SHOWN = 50


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


def other_administrators(leaving: Iterable[User]) -> bool:
    """Tell whether there is an active administrator beside these."""
    active = User.objects.filter(is_superuser=True, is_active=True)
    return active.exclude(pk__in=[user.pk for user in leaving]).exists()


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """People in the order of their names, each with `last_seen`. `after`: the name that the next page begins behind."""

    rows: Sequence[User]
    after: str | None
    is_first: bool


def people_page(
    query: str = "", after: str = "", *, group: Group | None = None, only: UUID | None = None
) -> PeoplePage:
    """Return a page of those whose names or address hold all words of the query; or of a group's members."""
    last_seen = Greatest(_last(BrowserSession, "seen_at"), _last(ApiKey, "last_used_at"), "last_login")
    users = User.objects.annotate(last_seen=last_seen)
    for word in query.split()[:5]:
        users = users.filter(
            Q(username__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
        )
    if group is not None:
        users = users.filter(groups=group)
    if only is not None:
        users = users.filter(pk=only)
    after = after.replace("\0", "")[:150]
    if after:
        users = users.filter(username__gt=after)
    found = list(users.order_by("username")[: PEOPLE_SHOWN + 1])
    more = len(found) > PEOPLE_SHOWN
    return PeoplePage(found[:PEOPLE_SHOWN], found[PEOPLE_SHOWN - 1].username if more else None, not after)


def _last(model: type[BrowserSession] | type[ApiKey], column: str) -> Subquery:
    rows = model._default_manager.filter(user=OuterRef("pk")).order_by().values("user")
    return Subquery(rows.annotate(last=Max(column)).values("last"))
