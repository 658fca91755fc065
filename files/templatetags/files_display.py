"""How pages show files: status words, kinds, places, the room they take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from files import selectors
from files.file_views import SEGMENTS_SHOWN
from files.models import FileRecord, FileSegment
from files.places import describe_place
from files.rows import may_cancel, may_retry
from files.selectors import FileStatusView
from files.status_text import SCRIPT_TEXTS, StatusText, stage_times, status_text, type_label
from orchestra.accounts.models import User

register = template.Library()

register.filter("place_words", describe_place)
register.filter("type_label", type_label)
register.filter("stage_times", stage_times)
register.filter("may_retry", may_retry)
register.filter("may_cancel", may_cancel)


@register.filter
def place_without_headings(place: dict[str, Any]) -> str:
    """Return where a segment stands, short enough for the margin."""
    return describe_place({key: value for key, value in place.items() if key != "headings"})


@register.filter
def plain_heading(text: str) -> str:
    """Return a heading without the marks that Markdown puts before it."""
    return text.lstrip("#").strip() or text


@register.filter
def words_marked(text: str, words: str) -> SafeString:
    """Return a text as HTML in which each place of these words is in <mark>; every piece is escaped by itself."""
    pieces: list[str] = []
    position = 0
    for found in re.finditer(re.escape(words), text, re.IGNORECASE):
        pieces.append(conditional_escape(text[position : found.start()]))
        pieces.append(format_html("<mark>{}</mark>", found[0]))
        position = found.end()
    pieces.append(conditional_escape(text[position:]))
    return mark_safe("".join(pieces))  # noqa: S308  # made of escaped pieces only


@register.simple_tag
def segment_address(segment: FileSegment) -> str:
    """Return the address of a segment in its file's text."""
    page = segment.ordinal // SEGMENTS_SHOWN + 1
    return f"{reverse('file', args=[segment.file_id])}?page={page}#segment-{segment.ordinal}"


@register.simple_tag
def child_address(file: FileRecord, at: str) -> str:
    """Return the address of a file inside a file, in its text."""
    return f"{reverse('file', args=[file.pk])}?{urlencode({'at': at})}#found"


@register.simple_tag(name="status_text")
def status_text_tag(view: FileStatusView) -> StatusText:
    """Return the label and the sentence of a file's status."""
    return status_text(view)


@register.simple_tag
def script_texts() -> dict[str, Any]:
    """Return the words that the scripts need to say the same."""
    return SCRIPT_TEXTS


@register.simple_tag
def trash_days() -> int:
    """Return for how many days a deleted file may be restored; 0 where there is no trash."""
    return int(settings.TRASH_DAYS)


@register.simple_tag
def bytes_used(user: User) -> int:
    """Return the bytes that a user's files take."""
    return selectors.bytes_used(user)


@register.simple_tag
def holdings(user: User) -> dict[str, int]:
    """Return how many files and uploads under way a user has, and how many one may have; 0: any number."""
    has = selectors.holdings_of(user)
    most = {"most_files": settings.MAX_FILES, "most_uploads": settings.MAX_UPLOADS}
    return {"files": has.files, "uploads": has.uploads, **most}


@register.simple_tag
def bytes_by_owner(people: Sequence[User]) -> dict[UUID, int]:
    """Return the bytes that each person's files take, read at once; those without files are left out."""
    return selectors.bytes_by_owner(person.pk for person in people)


@register.filter
def of_person(values: dict[UUID, int], person: User) -> int:
    """Return a person's number."""
    return values.get(person.pk, 0)
