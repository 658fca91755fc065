"""The page of one file: its state and preview, and a tab for each thing that is known of it.

Each tab has an address of its own, so that it can be linked, reloaded and opened without JavaScript; with it, the
script (js/tabs.js) takes the panel of another tab over. The tab of passages is `search.passage_views`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from files import selectors, trash, uploads
from files.errors import FileNotFound
from files.metadata import Fact, metadata_facts, tells_location
from files.models import FileEvent, FileRecord
from files.origins import origin_of
from files.places import place_of_address
from files.previews import preview_of
from orchestra.accounts.models import User

SEGMENTS_SHOWN = 50
_EVENTS_SHOWN = 200
_LONGEST_WORDS = 200
TABS = (
    ("file", "Text"),
    ("file-passages", "Passages"),
    ("file-metadata", "Metadata"),
    ("file-timeline", "Timeline"),
    ("file-origin", "Origin"),
)
"""Names of addresses, and what the tabs are called."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An event of a file, what it tells beside its sentence, and the seconds since the one before."""

    event: FileEvent
    facts: list[Fact]
    since: float | None


class FileTab(LoginRequiredMixin, View, ABC):
    """One tab of a file's page."""

    tab: str
    panel: str

    def get(self, request: HttpRequest, file_id: UUID) -> HttpResponse:
        """Show the page; of a file in the trash, that it is there and how it comes back."""
        user = cast(User, request.user)
        try:
            file = selectors.get_file(user, file_id)
        except FileNotFound:
            return _trashed(request, user, file_id)
        context = {
            "file": file,
            "view_of": selectors.with_status([file])[0],
            "upload": uploads.unfinished(file),
            "preview": preview_of(file),
            "tabs": TABS,
            "tab": self.tab,
            "panel": self.panel,
        }
        return render(request, "files/file.html", context | self.shown(user, file))

    @abstractmethod
    def shown(self, user: User, file: FileRecord) -> dict[str, Any]:
        """Return what the tab's panel shows."""


def _trashed(request: HttpRequest, user: User, file_id: UUID) -> HttpResponse:
    """Say that a file is in the trash, and nothing else about it."""
    try:
        file = selectors.get_trashed(user, file_id)
    except FileNotFound as exc:
        raise Http404 from exc
    context = {"file_id": file.pk, "until": trash.purged_after(file)}
    return render(request, "files/file_trashed.html", context, status=404)


class TextPage(FileTab):
    """What was read, a page at a time: at the place that the address names, or where its words stand."""

    tab = "file"
    panel = "files/_text.html"

    def shown(self, user: User, file: FileRecord) -> dict[str, Any]:
        """Return a page of segments."""
        query = self.request.GET
        if within := query.get("within", "").strip()[:_LONGEST_WORDS]:
            segments = Paginator(selectors.segments_with(file, within), SEGMENTS_SHOWN)
            return {"segments": segments.get_page(query.get("page")), "within": within, "found": []}
        segments = Paginator(selectors.segments_of(file), SEGMENTS_SHOWN)
        found = selectors.segments_at(file, place_of_address(query.get("at", "")))
        number = found[0].ordinal // SEGMENTS_SHOWN + 1 if found else query.get("page")
        return {"segments": segments.get_page(number), "found": found}


class MetadataPage(FileTab):
    """What the file says about itself, and what was found out."""

    tab = "file-metadata"
    panel = "files/_metadata.html"

    def shown(self, user: User, file: FileRecord) -> dict[str, Any]:
        """Return facts."""
        # The language of a text is shown by its own field; that of source code is a fact like others.
        told = {key: value for key, value in file.metadata.items() if key != "language" or not file.language}
        return {"metadata": metadata_facts(told), "tells_location": tells_location(file.metadata)}


class TimelinePage(FileTab):
    """What happened to the file, when, how long each stage took, and by whom it was read."""

    tab = "file-timeline"
    panel = "files/_timeline.html"

    def shown(self, user: User, file: FileRecord) -> dict[str, Any]:
        """Return events, the first of them where there are very many, and the job."""
        events = list(selectors.timeline(file)[:_EVENTS_SHOWN])
        before: list[datetime | None] = [None, *(event.created_at for event in events)]
        moments = [
            Moment(event, metadata_facts(event.details), (event.created_at - last).total_seconds() if last else None)
            for event, last in zip(events, before, strict=False)
        ]
        return {"moments": moments, "job": selectors.job_of(file)}


class OriginPage(FileTab):
    """Where the file came from, and what is inside it."""

    tab = "file-origin"
    panel = "files/_origin.html"

    def shown(self, user: User, file: FileRecord) -> dict[str, Any]:
        """Return its imports and the files inside it."""
        return {"origin": origin_of(file)}
