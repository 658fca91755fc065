"""Saved views: filters and a sort of the list of files under a name, each its owner's alone. Reads and writes."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict

from files.errors import TooManyViews, ViewInvalid, ViewNameTaken, ViewNotFound
from files.forms import ListForm, NewViewForm
from files.models import LONGEST_QUERY, SavedView
from orchestra.accounts.models import User

MOST_VIEWS = 50


def views_of(owner: User) -> QuerySet[SavedView]:
    """Return a user's saved views, by name."""
    return SavedView.objects.filter(owner=owner)


def save(owner: User, name: str, query: str) -> SavedView:
    """Keep what an address of the list asks for. Raises ViewInvalid, ViewNameTaken or TooManyViews."""
    form = NewViewForm({"name": name, "query": query})
    if not form.is_valid():
        raise ViewInvalid
    name, query = form.cleaned_data["name"], ListForm(QueryDict(form.cleaned_data["query"])).query
    if len(query) > LONGEST_QUERY:
        raise ViewInvalid("The filters of this view are too long to be kept.", hint="Shorten the words in them.")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # counts in turn
        if views_of(owner).filter(name=name).exists():
            raise ViewNameTaken
        if views_of(owner).count() >= MOST_VIEWS:
            raise TooManyViews
        return SavedView.objects.create(owner=owner, name=name, query=query)


def delete(owner: User, view_id: UUID) -> str:
    """Delete a view and return its name. Raises ViewNotFound, alike for unknown ids and for those of others."""
    view = views_of(owner).filter(pk=view_id).first()
    if view is None:
        raise ViewNotFound
    view.delete()
    return view.name
